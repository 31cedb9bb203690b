"""Reviews of the demo city: good, long, middling and bad ones, some answered, one with something added, one reported."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel import clock
from shop.models.accounts import RoleGrant, User
from shop.models.orders import OrderLine, SubOrder
from shop.models.reviews import ProductRating, ReportKind, Review, ReviewReport, ReviewState
from shop.reviews.rules import COUNTERS, GOT, REVIEW_WITHIN

OPERATOR = "13800000031"


@dataclass(frozen=True, slots=True)
class Seeded:
    """What somebody says, so many hours after collecting, with what was added some days later and what the shop answered."""

    stars: int
    text: str
    follow_up: str = ""
    answer: str = ""
    is_anonymous: bool = False


SAID = (
    Seeded(5, "很新鲜，比菜市场的还好，下次还买。"),
    Seeded(5, "东西和图上一样，分量足。站点的张师傅还帮忙提到门口，谢谢！", answer="谢谢您的支持，我们会一直把好关。"),
    Seeded(4, "味道不错，就是个头有大有小，不影响吃。", is_anonymous=True),
    Seeded(
        5,
        "给老人买的，已经是第四次了。说几点，方便邻居们参考：\n一是准时，说早上七点到就是七点到，站点开门就能取；\n"
        "二是包装实在，没有一层套一层，拆起来不费劲，老人自己也弄得开；\n三是价钱，算下来每斤比超市便宜一块多。\n"
        "唯一希望改进的是标签上的字再印大一点，老人看不清生产日期。总的来说值得买，会一直买下去。",
        follow_up="放了几天再来说：冰箱里放到第四天还是好的，没有蔫。",
        answer="感谢您写得这么仔细！标签的字我们这周就换成大号的，老人家看得清最要紧。",
    ),
    Seeded(2, "这次送来的有两个压坏了，装的时候垫一下吧。", answer="实在对不起，已经要求装箱加垫，坏的请到站点登记，我们按件退款。"),
    Seeded(5, ""),
    Seeded(3, "还可以，和上次比差一点，可能是季节的原因。"),
    Seeded(1, "等了半天才取到，袋子还漏水，太失望了。"),
    Seeded(5, "孩子很喜欢，一次吃了好几个。", is_anonymous=True),
    Seeded(4, "称重很公道，多退的钱当天就回来了。"),
)
"""In Chinese only: people write as they speak."""

REPORTED = (
    (ReportKind.ADVERT, Seeded(1, "骗人的店，大家加我微信，保证比这里便宜！"), "在评价里拉人加微信。"),
    (ReportKind.UNTRUE, Seeded(2, "快递员态度不好。"), "我们没有快递员，是自己到站点取的。"),
    (ReportKind.PRIVACY, Seeded(1, "3栋那家卖菜的，她男人欠钱不还，大家小心！"), ""),
)
"""What the newest few say instead: they wait for an operator."""

HIDDEN = Seeded(1, "店主是个骗子，滚出我们小区！"), "辱骂店主"
"""What an operator hid, and why."""


def seed(session: Session, chance: Random) -> None:
    """Two of three things that were collected are reviewed, the same each time; some of each person's wait."""
    moment = clock.now()
    wanted = (
        sa.select(
            OrderLine.id, OrderLine.product_id, SubOrder.merchant_id, SubOrder.user_id, SubOrder.collected_at,
        )
        .join(SubOrder, SubOrder.id == OrderLine.sub_order_id)
        .where(SubOrder.state.in_(GOT), SubOrder.collected_at > moment - REVIEW_WITHIN, OrderLine.short_quantity < OrderLine.quantity)
        .where(SubOrder.refunded_total < SubOrder.total)
        .order_by(OrderLine.id)
    )  # fmt: skip
    lines = [
        line for place, line in enumerate(session.execute(wanted).all())
        if place % 3 != 2 and not works_there(session, line.user_id, line.merchant_id)
    ]
    start, counts = chance.randrange(len(SAID)), dict[int, dict[str, int]]()
    for place, line in enumerate(lines):
        left = len(lines) - place - 1
        kind, said, words = REPORTED[left] if left < len(REPORTED) else (None, SAID[(start + place) % len(SAID)], "")
        if left == len(REPORTED):
            hide(session, line, moment)
            continue
        review = put(session, said, line, moment)
        counted = counts.setdefault(line.product_id, dict.fromkeys(COUNTERS, 0))
        counted[COUNTERS[said.stars - 1]] += 1
        reporter = somebody_else(session, line.user_id)
        if kind is not None and reporter is not None:
            at = min(moment, line.collected_at + timedelta(hours=9))
            session.add(ReviewReport(
                review_id=review.id, merchant_id=line.merchant_id, user_id=reporter, kind=kind, words=words, reported_at=at,
            ))  # fmt: skip
    session.add_all(ProductRating(product_id=product_id, changes=1, **counted) for product_id, counted in counts.items())


def put(session: Session, said: Seeded, line: Any, moment: datetime, **facts: Any) -> Review:
    """What somebody says of a line they collected."""
    review = Review(
        **{
            "line_id": line.id, "product_id": line.product_id, "merchant_id": line.merchant_id, "user_id": line.user_id,
            "state": ReviewState.SHOWN, "stars": said.stars, "text": said.text, "is_anonymous": said.is_anonymous, "number": 1,
            "written_at": min(moment, line.collected_at + timedelta(hours=5)), **later(session, said, line, moment), **facts,
        }
    )
    session.add(review)
    session.flush()
    return review


def hide(session: Session, line: Any, moment: datetime) -> None:
    """One that an operator hid."""
    said, reason = HIDDEN
    operator = session.scalars(sa.select(User.id).where(User.phone == OPERATOR)).one_or_none()
    if operator is not None:
        decided = {"state": ReviewState.HIDDEN, "hidden_reason": reason, "decided_by_id": operator, "decided_at": moment}
        put(session, said, line, moment, **decided)


def later(session: Session, said: Seeded, line: Any, moment: datetime) -> dict[str, Any]:
    """What was added and answered, as far as that time has come."""
    added, answered = line.collected_at + timedelta(days=4), line.collected_at + timedelta(hours=20)
    facts: dict[str, Any] = {}
    if said.follow_up and added < moment:
        facts |= {"follow_up": said.follow_up, "followed_up_at": added}
    who = who_answers(session, line.merchant_id)
    if said.answer and answered < moment and who:
        facts |= {"answer": said.answer, "answered_at": answered, "answered_by_id": who}
    return facts


def works_there(session: Session, user_id: int, merchant_id: int) -> bool:
    grants = sa.select(RoleGrant.id).where(RoleGrant.user_id == user_id, RoleGrant.merchant_id == merchant_id)
    return session.scalars(grants.limit(1)).one_or_none() is not None


def who_answers(session: Session, merchant_id: int) -> int | None:
    people = sa.select(RoleGrant.user_id).where(RoleGrant.merchant_id == merchant_id)
    return session.scalars(people.order_by(RoleGrant.id).limit(1)).one_or_none()


def somebody_else(session: Session, user_id: int) -> int | None:
    return session.scalars(sa.select(User.id).where(User.id != user_id).order_by(User.id).limit(1)).one_or_none()
