"""Of a line not everything is there. The rest of the order comes; what is missing is given back at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel import clock
from shop.kernel.db import operation, take
from shop.kernel.errors import NotFound
from shop.kernel.money import ZERO, Money
from shop.kernel.statements import table
from shop.models.orders import OrderLine, PurchaseState, SubOrderState
from shop.orders import rules
from shop.orders.errors import LineComplete, ReasonMissing, WeighedLine, WrongState
from shop.orders.operations.closing import decline
from shop.orders.operations.fulfilling import of_merchant
from shop.orders.operations.refunding import give_back
from shop.orders.permissions import OrderPermission
from shop.orders.tags import Done
from shop.platform import audit, notices
from shop.platform.actor import Actor
from shop.platform.own import refuse_own
from shop.stock import missing as shelf
from shop.stock import operations as stock

LINES = table(OrderLine)
NOT_PACKED = (SubOrderState.PLACED, SubOrderState.ACCEPTED)


@dataclass(frozen=True, slots=True)
class Short:
    """What a missing line came to: what went back, and whether nothing of the order was left, which declines it."""

    given_back: Money
    is_declined: bool


@operation
def short_line(session: Session, actor: Actor, line_id: int, there: int, reason: str, *, keep_selling: bool = False) -> Short:
    """Only `there` of a line's units can be delivered: what was paid for each missing one goes back, and the buyer reads which, why and
    what still comes. Until the order is packed; a fee stays, unless nothing is left at all: then the order is declined and all goes back.

    What cannot be found for somebody who has paid is not there for anybody else: the rest on the shelf is no longer sold, unless
    `keep_selling`. The same number again changes nothing; fewer are more missing. Raises `LineComplete` (more than there were),
    `WeighedLine`, `ReasonMissing`, `WrongState`, `NotFound`, `OwnDeed`.
    """
    sub_order_id = session.scalar(sa.select(LINES.c.sub_order_id).where(LINES.c.id == line_id))
    if sub_order_id is None:
        raise NotFound()
    if not reason.strip():
        raise ReasonMissing()
    step, part = of_merchant(session, actor, sub_order_id, OrderPermission.SHOP_DECLINE)
    refuse_own(actor, part.user_id)
    lines = session.execute(sa.select(LINES).where(LINES.c.sub_order_id == sub_order_id).order_by(LINES.c.id)).all()
    line = next(row for row in lines if row.id == line_id)
    if step.state is not PurchaseState.PAID or part.state not in NOT_PACKED:
        raise WrongState()
    had = line.quantity - line.short_quantity
    if not 0 <= there <= had:
        raise LineComplete(most=had)
    if there == had:
        return Short(ZERO, is_declined=False)
    if line.final_grams is not None:
        raise WeighedLine()
    occasion = f"short:{line.quantity - there}"
    if there == 0 and all(row.id == line_id or row.short_quantity == row.quantity for row in lines):
        decline(session, actor, part.id, reason)
        if not keep_selling:
            shelf.nothing_left(session, actor, line.variant_id, f"line:{line_id}:{occasion}:shelf")
        return Short(part.left, is_declined=True)
    as_seen = sa.update(LINES).where(LINES.c.id == line_id, LINES.c.short_quantity == line.short_quantity)
    values = {"short_quantity": line.quantity - there, "short_at": clock.now(), "short_reason": reason}
    if not take(session, as_seen.values(values)):
        raise WrongState()
    back = min(rules.paid_for(line, had) - rules.paid_for(line, there), part.left)  # some of the order may have been given back before
    if back:
        give_back(session, step, part, back, f"line:{line_id}:{occasion}", reason)
    audit.record(session, actor, Done.LINE_SHORT, "order_line", line_id, quantity=had - there, refunded=back.fen, reason=reason)
    _tell(session, part.user_id, step.number, line, had - there, back, reason)
    stock.not_there(session, actor, [stock.Wanted(line.variant_id, line_id, had - there)], occasion)
    if not keep_selling:
        shelf.nothing_left(session, actor, line.variant_id, f"line:{line_id}:{occasion}:shelf")
    return Short(back, is_declined=False)


def _tell(session: Session, user_id: int, number: str, line: Any, missing: int, back: Money, reason: str) -> None:
    names = {"zh": f"{line.name_zh} {line.unit_zh} × {missing}", "en": f"{line.name_en}, {line.unit_en} × {missing}"}
    notices.post(
        session, user_id, "orders.line_short", dedupe_key=f"line:{line.id}:short:{line.short_quantity + missing}",
        link=f"/orders/{number}", number=number, names=names, amount=str(back), reason=reason,
    )
