"""For those who run the shop: how partners answer, what waits in which lane, and having a silent partner asked again."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AwareDatetime, Field

from shop.kernel.db import perform, reading
from shop.kernel.errors import NotFound
from shop.platform import backlog, partners
from shop.platform.access import permitted
from shop.platform.actor import Actor
from shop.platform.api.core import Schema, route
from shop.platform.api.fields import READABLE
from shop.platform.backlog import Breaker, Lane, Standing
from shop.platform.features import registry
from shop.platform.permissions import PlatformPermission

see, ask = permitted(PlatformPermission.PARTNER_READ), permitted(PlatformPermission.PARTNER_ASK)


class LaneOut(Schema):
    lane: str
    name: str = Field(description="In the language asked for.")
    waiting: int
    oldest: AwareDatetime | None = Field(description="Since when the longest waiting job could have been done.")
    running: int
    dead: int = Field(description="Jobs that gave up and were not put back.")


class LanePage(Schema):
    items: list[LaneOut]
    next_cursor: str | None


class PartnerOut(Schema):
    partner: str
    name: str = Field(description="In the language asked for.")
    breaker: Breaker = Field(description="`open`: is not asked; `half`: the next call tries whether it answers again; `closed`: is asked.")
    since: AwareDatetime | None = Field(description="When it was last left alone, or failed; null when it has not failed lately.")
    failures: int = Field(description="In a row.")
    last_failure: str | None = Field(description="What kind of failure it was.")
    waiting: int
    oldest: AwareDatetime | None
    next_try_at: AwareDatetime | None = Field(description="Null: with the next call.")


class PartnerPage(Schema):
    items: list[PartnerOut]
    next_cursor: str | None


class AskAgainIn(Schema):
    reason: Annotated[str, Field(min_length=1, max_length=200), READABLE] = Field(description="Why it will answer now; kept on record.")


class AskedAgain(Schema):
    asked: bool = Field(description="False when it was asked already: nothing was changed.")
    partner: PartnerOut


def lane_out(lane: Lane) -> LaneOut:
    return LaneOut(lane=lane.name, name=lane.words, waiting=lane.waiting, oldest=lane.oldest, running=lane.running, dead=lane.dead)


def partner_out(standing: Standing) -> PartnerOut:
    return PartnerOut(
        partner=standing.name, name=standing.words, breaker=standing.breaker, since=standing.since, failures=standing.failures,
        last_failure=standing.last_failure or None, waiting=standing.waiting, oldest=standing.oldest,
        next_try_at=standing.next_try_at if standing.breaker is Breaker.OPEN else None,
    )  # fmt: skip


@route(
    "GET", "/operations/lanes", see, summary="Lanes of work in which something is to be done", tag="Operations",
    answers={200: LanePage},
)
def list_lanes(actor: Actor) -> Any:
    return LanePage(items=[lane_out(lane) for lane in backlog.overview(reading()).lanes], next_cursor=None)


@route(
    "GET", "/operations/partners", see, summary="Everybody the shop asks outside, and how they answer", tag="Operations",
    answers={200: PartnerPage},
)
def list_partners(actor: Actor) -> Any:
    return PartnerPage(items=[partner_out(standing) for standing in backlog.overview(reading()).partners], next_cursor=None)


@route(
    "POST", "/operations/partners/<name>/ask", ask, summary="Have a silent partner asked again now", tag="Operations", body=AskAgainIn,
    answers={200: AskedAgain},
)
def ask_partner(actor: Actor, name: str, body: AskAgainIn) -> Any:
    """What waited longest for it is due at once; one more failure, and it is left alone again."""
    if name not in {known.name for known in registry.partners(reading())}:
        raise NotFound()
    asked = perform(partners.ask_again, actor, name, body.reason)
    standing = next(one for one in backlog.overview(reading()).partners if one.name == name)
    return AskedAgain(asked=asked, partner=partner_out(standing))
