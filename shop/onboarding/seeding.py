"""Applications of the demo city: one that waits, one that was asked something, one that was declined."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel import clock
from shop.models.accounts import User
from shop.models.onboarding import (
    ApplicantKind,
    Application,
    ApplicationMessage,
    ApplicationPaper,
    ApplicationState,
    Food,
    PaperKind,
    PaperSlice,
)
from shop.models.pickup import PickupPoint
from shop.onboarding import rules, scans

OPERATOR = "13800000031"


@dataclass(frozen=True, slots=True)
class Seeded:
    """An application handed in so many days ago. The codes belong to nobody."""

    phone: str
    days: int
    state: ApplicationState
    kind: ApplicantKind
    food: Food
    name: tuple[str, str]
    business: tuple[str, str]
    person: str
    legal_name: str = ""
    uscc: str = ""
    reason: str = ""
    said: tuple[tuple[bool, str, PaperKind | None], ...] = field(default=())


APPLICATIONS = (
    Seeded(
        "13800000003", 20, ApplicationState.DECLINED, ApplicantKind.STALL, Food.OTHER, ("陈氏卤味", "Chen's cooked meats"),
        ("卤肉、卤豆腐", "Braised meat and tofu"), "陈桂芳", "东兴区陈氏卤味店", "92511011MAY000092W",
        reason="食品经营许可证已过期，请换证后重新申请。",
    ),
    Seeded(
        "13800000001", 4, ApplicationState.ASKED, ApplicantKind.SHOP, Food.PACKAGED, ("梅子水果铺", "Mei's fruit"),
        ("水果、果干和坚果", "Fruit, dried fruit and nuts"), "李梅", "内江市东兴区梅子水果店", "92511002MAY0000841",
        said=((True, "执照上的住所与申请的店址不同，请说明。", PaperKind.OTHER),),
    ),
    Seeded(
        "13800000002", 2, ApplicationState.WAITING, ApplicantKind.FARMER, Food.PRODUCE, ("王家坡菜园", "Wang's garden"),
        ("自家菜地的时令蔬菜和土鸡蛋", "Vegetables and eggs from our own garden"), "王强",
    ),
)  # fmt: skip


def seed(session: Session, _chance: Random) -> None:
    """The same applications each time, by days before today."""
    phones = (OPERATOR, *(one.phone for one in APPLICATIONS))
    who = {phone: session.scalar(sa.select(User.id).where(User.phone == phone)) for phone in phones}
    points = list(session.scalars(sa.select(PickupPoint.id).order_by(PickupPoint.id).limit(2)))
    for each in APPLICATIONS:
        if who[each.phone] is not None and who[OPERATOR] is not None:
            put(session, each, points, who)


def put(session: Session, each: Seeded, points: list[int], who: dict[str, int | None]) -> None:
    at = clock.now() - timedelta(days=each.days)
    is_declined, licensed = each.state is ApplicationState.DECLINED, rules.is_licensed(each.kind)
    found = Application(
        user_id=who[each.phone], kind=each.kind, state=each.state, name_zh=each.name[0], name_en=each.name[1],
        business_zh=each.business[0], business_en=each.business[1], food=each.food, legal_name=each.legal_name, uscc=each.uscc,
        person=each.person, declared_at=None if licensed else at, point_ids=points, changes=1, created_at=at, touched_at=at,
        submitted_at=at, decided_at=at + timedelta(days=1) if is_declined else None,
        decided_by_id=who[OPERATOR] if is_declined else None, reason=each.reason,
    )  # fmt: skip
    session.add(found)
    session.flush()
    for kind in rules.needed_papers(each.kind, each.food):
        content = drawn()
        paper = ApplicationPaper(
            application_id=found.id, kind=kind, content_type=scans.JPEG, size=len(content),
            valid_until=at.date() + timedelta(days=700) if kind is PaperKind.FOOD_PERMIT else None, uploaded_at=at,
        )  # fmt: skip
        session.add(paper)
        session.flush()
        session.add_all(PaperSlice(paper_id=paper.id, number=number, content=piece) for number, piece in enumerate(scans.slices(content)))
    for is_question, text, wanted in each.said:
        author = who[OPERATOR] if is_question else who[each.phone]
        session.add(
            ApplicationMessage(
                application_id=found.id, author_id=author, is_question=is_question, text=text, paper=wanted, at=at + timedelta(hours=5)
            )
        )  # fmt: skip


def drawn() -> bytes:
    """A sheet with a seal and lines instead of words: a paper of nobody."""
    from PIL import Image, ImageDraw

    sheet = Image.new("RGB", (900, 640), "#fbf6ea")
    pen = ImageDraw.Draw(sheet)
    pen.rectangle((20, 20, 880, 620), outline="#b8862d", width=6)
    for line in range(8):
        pen.rectangle((120, 120 + 50 * line, 560 + 25 * (line % 3), 132 + 50 * line), fill="#a8a29a")
    pen.ellipse((640, 400, 820, 580), outline="#cf1322", width=10)
    kept = io.BytesIO()
    sheet.save(kept, "JPEG", quality=70)
    return kept.getvalue()
