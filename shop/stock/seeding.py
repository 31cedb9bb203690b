"""Shelves of the demo city: a shop that wants to be told, goods that run low, and some that were lost."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel.db import operation
from shop.models.accounts import RoleGrant, User
from shop.models.merchants import Merchant
from shop.models.stock import LossReason, MovementKind
from shop.platform.actor import Actor, Grant
from shop.stock import counting, low, shelves
from shop.stock.errors import Doubtful

SHOP, OWNER = "orange-coop", "13800000011"
TOLD_AT, JUICE_TOLD_AT = 12, 30
FEW_LEFT = {"blood-orange-gift": 8, "blood-orange-juice": 21}


@dataclass(frozen=True, slots=True)
class Lost:
    """So many of a size, and why."""

    code: str
    quantity: int
    reason: LossReason
    words: str = ""
    is_a_mistake: bool = False


LOST = (
    Lost("blood-orange-loose", 4, LossReason.SPOILED, "箱底压坏，发霉"),
    Lost("blood-orange-juice", 2, LossReason.BROKEN),
    Lost("blood-orange-loose", 3, LossReason.GIVEN_AWAY, "重阳节送给银发食堂"),
    Lost("blood-orange-juice", 6, LossReason.PAST_DATE, is_a_mistake=True),
    Lost("blood-orange-m", 1, LossReason.OTHER, "店里试吃"),
)


@operation
def seed(session: Session, _chance: Random) -> None:
    """The same each time, written down by the shop's owner as people would."""
    merchant_id = session.scalar(sa.select(Merchant.id).where(Merchant.code == SHOP))
    works_there = sa.select(User, RoleGrant.role).join(RoleGrant, RoleGrant.user_id == User.id)
    found = session.execute(works_there.where(User.phone == OWNER, RoleGrant.merchant_id == merchant_id)).first()
    if merchant_id is None or found is None:
        return
    owner, role = found
    actor = Actor("user", owner.id, owner.display_name, grants=(Grant(role.value, merchant_id),), has_second_factor=True)
    there = shelves.named(session, [merchant_id], [*FEW_LEFT, *(lost.code for lost in LOST)])
    for number, lost in enumerate(lost for lost in LOST if lost.code in there):
        cause = f"seed:lost:{number}"
        why = counting.Why(lost.reason, lost.words)
        counting.adjust(session, actor, lost.code, MovementKind.SPOILAGE, lost.quantity, cause, sure=anyway, why=why)
        if lost.is_a_mistake:
            take_back(session, actor, there[lost.code].variant_id, lost.code)
    low.set_default(session, actor, merchant_id, TOLD_AT)
    if "blood-orange-juice" in there:
        low.set_mark(session, actor, "blood-orange-juice", JUICE_TOLD_AT)
    for code in (code for code in FEW_LEFT if code in there):
        shelf = shelves.get_shelf(session, [merchant_id], code)
        if shelf.available > FEW_LEFT[code]:
            sold = shelf.available - FEW_LEFT[code]
            counting.adjust(session, actor, code, MovementKind.OFFLINE_SALE, sold, f"seed:sold:{code}", sure=anyway)
        low.fall(session, low.ITEMS.c.variant_id == shelf.variant_id)


def anyway(_doubt: Doubtful) -> bool:
    return True


def take_back(session: Session, actor: Actor, variant_id: int, code: str) -> None:
    """Undo what was written down last."""
    newest = sa.select(sa.func.max(counting.MOVEMENTS.c.id)).where(counting.MOVEMENTS.c.variant_id == variant_id)
    counting.take_back(session, actor, code, session.scalars(newest).one())
