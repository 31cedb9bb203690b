"""The pick-up passes of the person who asks."""

from __future__ import annotations

from pydantic import AwareDatetime, Field

from shop.communities.queries import directory
from shop.kernel import clock
from shop.kernel.db import reading
from shop.models.orders import SubOrderState
from shop.pickup import codes, visits
from shop.pickup.visits import Visit
from shop.platform.access import signed_in
from shop.platform.actor import Actor
from shop.platform.api.core import Schema, route
from shop.platform.language import name_of


class PassLine(Schema):
    name: str
    unit: str
    quantity: int
    final_grams: int | None


class PassItem(Schema):
    """One merchant's sub-order that waits on the pass."""

    number: str
    merchant: str
    merchant_name: str
    state: SubOrderState
    lines: list[PassLine]


class PassOut(Schema):
    ref: str
    code: str
    qr: str = Field(description="The text of the QR code, good for at most a day.")
    point: str
    point_name: str
    valid_until: AwareDatetime
    items: list[PassItem]


class Passes(Schema):
    """The newest live pass at the top level, and all live ones in `passes`: there is one per pick-up point."""

    code: str | None
    qr: str | None
    point: str | None
    valid_until: AwareDatetime | None
    items: list[PassItem]
    passes: list[PassOut]


def items_of(visit: Visit) -> list[PassItem]:
    """What is ready on a pass, in the reader's language."""
    return [
        PassItem(
            number=part.number, merchant=part.merchant_code, merchant_name=name_of(part, "merchant_name"),
            state=SubOrderState.READY,
            lines=[
                PassLine(name=name_of(line), unit=name_of(line, "unit"), quantity=line.quantity, final_grams=line.final_grams)
                for line in part.lines
            ],
        )
        for part in visit.waiting
    ]  # fmt: skip


@route("GET", "/passes", signed_in, summary="The live pick-up passes", tag="pick-up", answers={200: Passes})
def list_passes(actor: Actor) -> Passes:
    session = reading()
    points = directory(session).points_by_id
    found = [
        PassOut(
            ref=visit.ref, code=visit.code, qr=codes.qr_text(visit.ref, visit.valid_until, clock.now()),
            point=points[visit.pickup_point_id].slug, point_name=name_of(points[visit.pickup_point_id]),
            valid_until=visit.valid_until, items=items_of(visit),
        )
        for visit in visits.live_of(session, actor.signed_in_id())
    ]  # fmt: skip
    if not found:
        return Passes(code=None, qr=None, point=None, valid_until=None, items=[], passes=[])
    first = found[0]
    return Passes(code=first.code, qr=first.qr, point=first.point, valid_until=first.valid_until, items=first.items, passes=found)
