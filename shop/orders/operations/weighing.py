"""What goods sold by weight really weigh, and what comes back for it. docs/algorithms/weighing.md tells it with figures."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel import clock
from shop.kernel.db import operation, take
from shop.kernel.errors import NotFound
from shop.kernel.money import ZERO, Money
from shop.kernel.statements import table
from shop.models.catalog import PricedBy
from shop.models.orders import OrderLine, SubOrderState
from shop.orders import rules
from shop.orders.errors import AlreadyWeighed, NotSoldByWeight, WeightOutOfRange, WrongState
from shop.orders.operations.fulfilling import of_merchant
from shop.orders.operations.refunding import give_back, given_for_weight, take_again
from shop.orders.operations.step import Part, Step
from shop.orders.permissions import OrderPermission
from shop.orders.tags import Done
from shop.platform import audit, notices
from shop.platform.actor import Actor
from shop.platform.own import refuse_own

LINES = table(OrderLine)

CORRECTED_IN = (SubOrderState.ACCEPTED, SubOrderState.PACKED)


@operation
def weigh_line(session: Session, actor: Actor, line_id: int, grams: int, instead: int | None = None) -> Money:
    """Write down what a line really weighs; what it costs less than its ceiling is given back. What went back by this call.

    Weighing heavier costs nothing. Zero grams give the whole line back. The same weight again changes nothing. Another weight is a
    correction: taken up to when the order leaves, and only with the weight that is written down (`instead`), so that nobody
    corrects what they have not seen; else `AlreadyWeighed`, with the weight, its time and who weighed. A correction upwards takes
    out of the buyer's wallet what was given back too much (the answer is negative then), or raises `CannotTakeAgain`.
    Also raises `NotSoldByWeight`, `WeightOutOfRange`, `WrongState`, `NotFound`, `OwnDeed`.
    """
    if not 0 <= grams <= rules.MOST_GRAMS:
        raise WeightOutOfRange(most=rules.MOST_GRAMS)
    sub_order_id = session.scalar(sa.select(LINES.c.sub_order_id).where(LINES.c.id == line_id))
    if sub_order_id is None:
        raise NotFound()
    step, part = of_merchant(session, actor, sub_order_id, OrderPermission.SHOP_PACK)
    refuse_own(actor, part.user_id)
    line = session.execute(sa.select(LINES).where(LINES.c.id == line_id)).one()
    if line.priced_by is not PricedBy.WEIGHT:
        raise NotSoldByWeight()
    if part.state not in (CORRECTED_IN if line.final_grams is not None else (SubOrderState.ACCEPTED,)):
        raise WrongState()
    if line.final_grams == grams:
        return ZERO
    if line.final_grams != instead:
        raise AlreadyWeighed(field=f"grams-{line_id}", line=line_id, grams=line.final_grams or 0)
    return _write_down(session, actor, step, part, line, grams)


def _write_down(session: Session, actor: Actor, step: Step, part: Part, line: Any, grams: int) -> Money:
    most, final = rules.ceiling(line), rules.final_total(line, grams)
    as_seen = LINES.c.final_grams.is_not_distinct_from(line.final_grams)
    values = {
        "final_grams": grams, "final_total": final, "weighed_at": clock.now(), "weighed_by_id": actor.user_id,
        "weighed_times": line.weighed_times + 1,
    }
    if not take(session, sa.update(LINES).where(LINES.c.id == line.id, as_seen).values(values)):
        raise WrongState()
    back, stands = _settle(session, step, part, line, most - final)
    if line.final_grams is None:
        audit.record(session, actor, Done.LINE_WEIGHED, "order_line", line.id, grams=grams, refunded=back.fen)
        return back
    before = line.final_grams
    audit.record(session, actor, Done.LINE_WEIGHT_CORRECTED, "order_line", line.id, grams=grams, grams_before=before, refunded=back.fen)
    if back:
        notices.post(
            session, part.user_id, "orders.weighed_again", dedupe_key=f"line:{line.id}:weighed:{line.weighed_times + 1}",
            link=f"/orders/{step.number}", names={"zh": line.name_zh, "en": line.name_en}, grams=grams, final=str(final),
            amount=str(stands),
        )
    return back


def _settle(session: Session, step: Step, part: Part, line: Any, owed: Money) -> tuple[Money, Money]:
    """Let exactly `owed` stand as given back for a line's weight, by refunds and counter-entries, or what is left of the order if that
    is less: money given back of it for something else does not stop the scales. By how much it is more than before, and what stands.

    Refunds are never changed: too much is booked back whole, and what is right is given anew.
    """
    cause = f"line:{line.id}:weighed"
    standing = given_for_weight(session, part.id, line.id)
    given = kept = Money.total(refund.amount for refund in standing)
    left = part.left
    if owed < given:
        for refund in standing:
            take_again(session, part, refund.id, refund.amount)
        kept, left = ZERO, left + given
    missing = min(owed - kept, left)
    if missing:
        give_back(session, step, part, missing, f"{cause}:{line.weighed_times + 1}" if line.weighed_times else cause, "weighed less")
    return kept + missing - given, kept + missing
