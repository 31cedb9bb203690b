"""For the devices of keepers: what a point expects, and what was handed over, also while there was no network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, NamedTuple

from pydantic import AwareDatetime, Field, ValidationError, ValidatorFunctionWrapHandler, WrapValidator

from shop.api.v1.passes import PassItem, items_of
from shop.communities.queries import directory
from shop.counter import operations, rules
from shop.counter.errors import TooManyGuesses
from shop.counter.operations import HandoverEvent, Outcome
from shop.counter.permissions import CounterPermission
from shop.fulfilment import operations as fulfilment
from shop.fulfilment import queries
from shop.fulfilment.errors import NotInBatch
from shop.kernel import gate
from shop.kernel.db import perform, reading
from shop.kernel.errors import Invalid, NotFound
from shop.kernel.text import clean, mask_person
from shop.models.pickup import BatchState, HandoverOutcome
from shop.orders.permissions import OrderPermission
from shop.pickup import visits
from shop.platform.access import permitted
from shop.platform.actor import Actor
from shop.platform.api.core import Schema, route
from shop.platform.api.fields import READABLE, Moment
from shop.platform.bodies import KILOBYTE
from shop.platform.language import name_of, words
from shop.platform.permissions import Permission

SLUG = Field(max_length=64, pattern=r"^[a-z0-9-]+$")
LONGEST_CLIENT_ID = 80


class PointQuery(Schema):
    point: Annotated[str, SLUG] | None = None


class BatchOut(Schema):
    code: str
    state: BatchState
    merchant: str
    merchant_name: str
    arrives_at: AwareDatetime
    orders: int
    to_pack: int
    on_the_way: int
    ready: int
    collected: int


class WaitingPass(Schema):
    """Enough to hand over while there is no network: who, what, until when."""

    ref: str
    code: str
    holder: str = Field(description="The name, its first character hidden.")
    valid_until: AwareDatetime
    items: list[PassItem]


class Expected(Schema):
    point: str
    batches: list[BatchOut]
    passes: list[WaitingPass]


class EventIn(Schema):
    client_id: str = Field(min_length=1, max_length=80, pattern=r"^[\x21-\x7e]+$", description="The device's own id of this hand-over.")
    scanned: Annotated[str, Field(min_length=1, max_length=200), READABLE] = Field(
        alias="pass", description="The text of a QR code, or six figures."
    )
    lines: list[Annotated[str, Field(max_length=40), READABLE]] | None = Field(
        default=None, max_length=200, description="Numbers of the sub-orders that were handed over; left out, everything that was ready."
    )
    device_time: Moment
    only_whole: bool = Field(
        default=False,
        description=(
            "True while the goods are still on the counter: all that is named leaves, or nothing does. Left out, the goods have left"
            " already, and of what is named those leave that were not handed over before."
        ),
    )


class Unreadable(NamedTuple):
    """An event that is none, with the device's own id where it can be read."""

    client_id: str


def each_by_itself(told: Any, read: ValidatorFunctionWrapHandler) -> EventIn | Unreadable:
    """An event; what is none stands for itself and does not hold up the others."""
    try:
        event: EventIn = read(told)
    except ValidationError:
        named = told.get("client_id") if isinstance(told, dict) else None
        return Unreadable(gate.word(named, LONGEST_CLIENT_ID) if isinstance(named, str) else "")
    return event


Told = Annotated[EventIn, WrapValidator(each_by_itself)]


class EventsIn(Schema):
    events: list[Told] = Field(min_length=1, max_length=500)
    point: Annotated[str, SLUG] | None = Field(default=None, description="Which of the keeper's points; left out, the first.")


class NotHanded(Schema):
    """A sub-order that was meant and is still to be looked for on the shelf."""

    number: str
    reason: rules.Reason
    message: str


class OutcomeOut(Schema):
    client_id: str = Field(description="The device's own id; empty where the event had none that can be read.")
    outcome: HandoverOutcome
    reason: rules.Reason | None
    message: str | None
    handed: list[str] = Field(
        description="Numbers of the sub-orders that left with this event; told again, those that left then and were not taken back."
    )
    not_handed: list[NotHanded] = Field(description="Those that were named, or meant by the scan, and did not leave with it; and why.")


class OutcomesOut(Schema):
    outcomes: list[OutcomeOut]


class TakeBackIn(Schema):
    client_id: str = Field(min_length=1, max_length=80, pattern=r"^[\x21-\x7e]+$", description="The id of the hand-over to take back.")
    reason: Annotated[str, Field(min_length=1, max_length=200), READABLE] = Field(description="Why, in a few words; it is kept.")
    lines: list[Annotated[str, Field(max_length=40), READABLE]] | None = Field(
        default=None, min_length=1, max_length=200, description="Numbers of the sub-orders that came back; left out, all that left with it."
    )


class TakenBackOut(Schema):
    client_id: str
    orders: int = Field(description="Sub-orders that wait again by this very call; 0 when it was taken back before.")


BATCH_CODE = Field(max_length=32, pattern=r"^T[0-9]{6}-[0-9]{4,15}$")


class ArrivalIn(Schema):
    batches: list[Annotated[str, BATCH_CODE]] = Field(
        min_length=1, max_length=50, description="Codes of the batches that came together, to one point; each resident is told once."
    )
    missing: list[Annotated[str, Field(min_length=1, max_length=40), READABLE]] = Field(
        default_factory=list, max_length=500, description="Numbers of sub-orders of these batches that did not come with them."
    )


class ArrivedBatch(Schema):
    code: str
    state: BatchState
    arrived_at: AwareDatetime | None


class ArrivalOut(Schema):
    batches: list[ArrivedBatch]
    ready: int = Field(description="Sub-orders that became ready by this very call.")
    people: int = Field(description="Residents who were told by this very call.")
    missing: int = Field(description="Sub-orders of these batches that are still to come.")


def own_point(actor: Actor, slug: str | None, permission: Permission) -> int:
    """The point of this name, if the permission is held there, or the first such. Raises `NotFound` for points of others."""
    point = directory(reading()).points_by_slug.get(slug) if slug else None
    point_id = rules.keeps(actor.points(permission), point.id if point else 0 if slug else None)
    if point_id is None:
        raise NotFound()
    return point_id


@route(
    "GET", "/station/expected", permitted(CounterPermission.POINT_READ),
    summary="Batches and passes of a pick-up point", tag="station", query=PointQuery,
    answers={200: Expected},
)  # fmt: skip
def expected(actor: Actor, query: PointQuery) -> Expected:
    session = reading()
    point_id = own_point(actor, query.point, CounterPermission.POINT_READ)
    batches = [
        BatchOut(
            code=found.code, state=found.batch_state, merchant=found.merchant_code, merchant_name=name_of(found, "merchant_name"),
            arrives_at=found.arrives_at, orders=found.orders, to_pack=found.to_pack, on_the_way=found.coming, ready=found.ready,
            collected=found.collected,
        )
        for found in queries.expected(session, point_id)
    ]  # fmt: skip
    waiting = [
        WaitingPass(
            ref=visit.ref, code=visit.code, holder=mask_person(visit.holder_name), valid_until=visit.valid_until,
            items=items_of(visit),
        )
        for visit in visits.live_at(session, point_id)
    ]
    return Expected(point=directory(session).points_by_id[point_id].slug, batches=batches, passes=waiting)


@route(
    "POST", "/station/handovers", permitted(CounterPermission.HAND_OVER),
    summary="Tell what was handed over; safe to repeat", tag="station", body=EventsIn,
    answers={200: OutcomesOut}, most_bytes=1024 * KILOBYTE,  # a day without a network: 500 hand-overs with their parts
)  # fmt: skip
def tell_handovers(actor: Actor, body: EventsIn) -> OutcomesOut:
    """Each event is decided by itself, in the order given: one that is refused, or cannot be read, does not hold up the others.

    Told again under its `client_id` an event does nothing. Another event under an id that is taken is a `conflict`, `different_event`.
    """
    point_id = own_point(actor, body.point, CounterPermission.HAND_OVER)
    return OutcomesOut(outcomes=[outcome_out(tell(actor, point_id, event)) for event in body.events])


def tell(actor: Actor, point_id: int, event: EventIn | Unreadable) -> Outcome:
    if isinstance(event, Unreadable):
        return Outcome(event.client_id, HandoverOutcome.REFUSED, rules.Reason.NOT_UNDERSTOOD)
    lines = None if event.lines is None else tuple(event.lines)
    try:
        said = HandoverEvent(event.client_id, event.scanned, lines, event.device_time, point_id, only_whole=event.only_whole)
        return perform(operations.hand_over, actor, said)
    except TooManyGuesses:  # not kept: the device sends it again later
        why = rules.Reason.TOO_MANY_ATTEMPTS
        return Outcome(event.client_id, HandoverOutcome.REFUSED, why, stayed=tuple((number, why) for number in lines or ()))


def outcome_out(outcome: Outcome) -> OutcomeOut:
    reason = rules.Reason(outcome.reason) if outcome.reason else None
    message = words(rules.WORDS[reason]) if reason else None
    stayed = [NotHanded(number=number, reason=rules.Reason(why), message=words(rules.WORDS[why])) for number, why in outcome.stayed]
    return OutcomeOut(
        client_id=outcome.client_id, outcome=outcome.outcome, reason=reason, message=message, handed=list(outcome.left), not_handed=stayed
    )


@route(
    "POST", "/station/take-backs", permitted(CounterPermission.HAND_OVER_TAKE_BACK),
    summary="Take a hand-over back within ten minutes; safe to repeat", tag="station",
    body=TakeBackIn, answers={200: TakenBackOut},
)  # fmt: skip
def take_back(actor: Actor, body: TakeBackIn) -> TakenBackOut:
    """For goods that went to the wrong person. All that the hand-over did is undone, its money by counter-entries."""
    reason = clean(body.reason, 200, field="reason")
    if not reason:
        raise Invalid("reason")
    return TakenBackOut(client_id=body.client_id, orders=perform(operations.take_back, actor, body.client_id, reason, body.lines))


@route(
    "POST", "/station/batches/arrivals", permitted(OrderPermission.ARRIVAL_RECEIVE),
    summary="Batches are here; what is ready is told to each resident once",
    tag="station", body=ArrivalIn, answers={200: ArrivalOut},
)  # fmt: skip
def tell_arrival(actor: Actor, body: ArrivalIn) -> ArrivalOut:
    """Told again, only what was missing before moves. A number that is in none of the batches refuses the whole: it may be a slip."""
    points = actor.points(OrderPermission.ARRIVAL_RECEIVE)
    cycle_ids = cycles_of(points, body.batches)
    if not {part.number for part in queries.incoming(reading(), *cycle_ids)}.issuperset(body.missing):
        raise NotInBatch()
    arrival = perform(fulfilment.receive, actor, cycle_ids, missing=set(body.missing))
    batches = [
        ArrivedBatch(
            code=found.code, state=found.batch_state, arrived_at=found.arrived_at
        )
        for found in queries.deliveries_of_batches(reading(), points, body.batches)
    ]
    return ArrivalOut(batches=batches, ready=arrival.ready, people=arrival.people, missing=arrival.missing)


def cycles_of(points: Sequence[int], codes: Sequence[str]) -> list[int]:
    """The deliveries of these batches. Raises `NotFound` if one of them does not come to one of the keeper's points."""
    found = queries.deliveries_of_batches(reading(), points, codes)
    if len(found) != len(set(codes)):
        raise NotFound()
    return [delivery.cycle_id for delivery in found]
