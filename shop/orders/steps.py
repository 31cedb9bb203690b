"""How far a sub-order is, as steps people understand."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from flask_babel import gettext as _

from shop.kernel.money import Money
from shop.models.orders import PurchaseState, SubOrderState
from shop.orders.queries import PurchaseFacts, SubOrderFacts
from shop.orders.rules import LEFT_BEFORE
from shop.payments.queries import Back
from shop.payments.words import back_words
from shop.platform.language import moment, spoken_moment

State = SubOrderState


class Step(NamedTuple):
    """One entry of the timeline: `state` is done, now, todo or failed."""

    label: str
    at: str
    note: str
    state: str


ENDED = {
    State.CANCELLED: lambda: _("Cancelled"), State.SHORT: lambda: _("Not available"), State.NOT_COLLECTED: lambda: _("Not collected"),
    State.RETURNED: lambda: _("Returned"),
}  # fmt: skip


def steps_of(order: PurchaseFacts, part: SubOrderFacts) -> list[Step]:
    """From payment to collection, with the times known and what came back; an order that ended early stops there."""
    happened: list[tuple[str, datetime | None]] = [
        (_("Paid"), order.paid_at), (_("Accepted by the shop"), part.accepted_at), (_("Packed"), part.packed_at),
        (_("On the way"), part.in_transit_at), (_("Ready to collect"), part.ready_at), (_("Collected"), part.collected_at),
    ]  # fmt: skip
    if part.state in ENDED:
        past = [Step(label, moment(at), "", "done") for label, at in happened if at is not None]
        end = part.cancelled_at or part.declined_at or part.ended_at or order.closed_at
        word = _("Not paid in time") if order.state is PurchaseState.EXPIRED else ENDED[part.state]()
        note = " · ".join(said for said in (reason_words(part.declined_reason), back_words(part.back)) if said)
        return [*past, Step(word, moment(end) if end else "", note, "failed")]
    weighed = Money.total(line.given_back for line in part.lines)
    lighter = back_words(part.back if part.back.total == weighed else Back(arrived=weighed)) if weighed else ""
    steps: list[Step] = []
    for (label, at), (_next_label, next_at) in zip(happened, [*happened[1:], ("", None)], strict=True):
        if at is not None:
            is_where_it_stands = next_at is None and part.collected_at is None
            note = lighter if at is part.packed_at else ""
            steps.append(Step(label, moment(at), note, "now" if is_where_it_stands else "done"))
        else:
            is_expected = part.ready_at is None and label == _("Ready to collect")
            note = _("expected %(when)s", when=spoken_moment(part.arrives_at)) if is_expected else ""
            steps.append(Step(label, "", note, "todo"))
    return steps


def reason_words(reason: str | None) -> str:
    """Why a part does not come: in the shop's own words, or in ours where nobody declined it."""
    return _("The delivery had left before your payment arrived") if reason == LEFT_BEFORE else reason or ""
