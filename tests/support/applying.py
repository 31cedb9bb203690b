"""Somebody who applies: `applied(make)` is an application that waits for an operator."""

from __future__ import annotations

import io
from datetime import timedelta

import sqlalchemy as sa
from PIL import Image

from shop.kernel import clock
from shop.kernel.db import finish_reading, perform, reading
from shop.models.accounts import User
from shop.models.merchants import Merchant
from shop.models.onboarding import (
    ApplicantKind,
    Application,
    ApplicationMessage,
    ApplicationPaper,
    ApplicationState,
    Food,
    PaperKind,
    PaperSlice,
    Suspension,
)
from shop.models.pickup import PickupPoint
from shop.onboarding import operations, rules, scans
from shop.onboarding.operations import About
from tests.support.factories import SHARP, Factories, actor_of

CODE, OTHER_CODE, EDGE_CODE = "92511002MAY0000766", "93511025MAY000113K", "91511002MAY0004470"
"""Codes of nobody, as the reference has them."""


def photo(width: int = 60, height: int = 40) -> bytes:
    """A photo of nothing."""
    kept = io.BytesIO()
    Image.new("RGB", (width, height), "#884422").save(kept, "JPEG")
    return kept.getvalue()


def fill_in(
    make: Factories, kind: ApplicantKind = ApplicantKind.SHOP, food: Food = Food.PRODUCE, *, user: User | None = None, uscc: str = CODE,
    point: PickupPoint | None = None,
) -> User:  # fmt: skip
    """A draft in which everything is said, with its papers; who wrote it."""
    user = user or make.user()
    point = point or reading().scalars(sa.select(PickupPoint).order_by(PickupPoint.id)).first() or make.point()
    finish_reading()
    actor = actor_of(user)
    perform(operations.choose_kind, actor, kind)
    perform(operations.describe, actor, About(f"沱江果铺{SHARP}", f"Tuojiang fruit{SHARP}", "水果", "Fruit", food))
    perform(operations.register, actor, f"李梅{SHARP}", "" if kind is ApplicantKind.FARMER else f"李梅水果店{SHARP}", uscc, declares=True)
    perform(operations.choose_points, actor, [point.slug])
    for paper in rules.needed_papers(kind, food):
        hand_in(user, paper)
    return user


def hand_in(user: User, paper: PaperKind, content: bytes | None = None, days: int = 400) -> int:
    """Put a paper to somebody's application."""
    last = clock.today() + timedelta(days=days)
    return perform(operations.add_paper, actor_of(user), paper, scans.read(content or photo()), last)


def applied(make: Factories, kind: ApplicantKind = ApplicantKind.SHOP, food: Food = Food.PRODUCE, **values: object) -> Application:
    """An application that waits for an operator."""
    user = fill_in(make, kind, food, **values)  # type: ignore[arg-type]
    perform(operations.submit, actor_of(user))
    return latest(user)


def make_application(make: Factories, user: User, decided_by: User | None = None) -> tuple[Application, ApplicationPaper]:
    """A draft with a paper as rows, or one that somebody declined."""
    moment, is_closed = clock.now(), decided_by is not None
    found = make.save(
        Application(
            user_id=user.id, kind=ApplicantKind.SHOP, state=ApplicationState.DECLINED if is_closed else ApplicationState.DRAFT,
            name_zh=f"果铺{SHARP}", name_en=f"Fruit{SHARP}", business_zh=f"水果{SHARP}", business_en=f"Fruit{SHARP}", food=Food.PRODUCE,
            legal_name=f"水果店{SHARP}", uscc=CODE, person=f"李梅{SHARP}", point_ids=[], changes=1, created_at=moment, touched_at=moment,
            submitted_at=moment if is_closed else None, decided_at=moment if is_closed else None,
            decided_by_id=decided_by.id if decided_by else None, reason=f"why{SHARP}" if is_closed else "",
        )
    )  # fmt: skip
    paper = make.save(
        ApplicationPaper(
            application_id=found.id, kind=PaperKind.BUSINESS_LICENCE, content_type="image/jpeg", size=3, valid_until=None,
            uploaded_at=moment,
        )
    )  # fmt: skip
    make.save(PaperSlice(paper_id=paper.id, number=0, content="eHh4"))
    if decided_by:
        asked = {"author_id": decided_by.id, "is_question": True, "text": f"why?{SHARP}", "at": moment}
        make.save(ApplicationMessage(application_id=found.id, **asked))
    return found, paper


def make_suspension(make: Factories, merchant: Merchant, by: User) -> Suspension:
    """A time in which a shop was suspended, which is over."""
    moment = clock.now()
    told = {"reason": f"why{SHARP}", "lifted_reason": f"why again{SHARP}"}
    return make.save(
        Suspension(
            merchant_id=merchant.id, suspended_by_id=by.id, suspended_at=moment, lifted_by_id=by.id, lifted_at=moment, **told
        )
    )  # fmt: skip


def latest(user: User) -> Application:
    """Somebody's application as it is now."""
    finish_reading()
    found = reading().scalars(sa.select(Application).where(Application.user_id == user.id).order_by(Application.id.desc()).limit(1)).one()
    reading().expunge(found)  # as it was when it was looked at, whatever happens later
    return found
