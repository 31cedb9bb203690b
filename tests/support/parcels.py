"""Another kind of things at a counter, as a feature would bring it: parcels of a carrier. It keeps no tables, only what it was told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.counter import operations as desk
from shop.counter.operations import Arrived
from shop.kernel import clock
from shop.kernel.db import transaction
from shop.kernel.errors import sentence
from shop.kernel.money import ZERO, Money
from shop.models.accounts import User
from shop.models.orders import SubOrder
from shop.models.pickup import Collectable, PickupPoint
from shop.orders.errors import WrongState
from shop.pickup import passes
from shop.platform.actor import Actor
from shop.platform.collecting import Contents, Kind, Move, Opened
from shop.platform.features import Feature, registry

PARCEL = "parcel"


class Parcels:
    """`told` is what the counter said, in order. With `stays` or `refuses` nothing leaves; `ends` is when a parcel goes back."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.told: list[tuple[str, tuple[int, ...]]] = []
        self.stays: dict[int, str] = {}
        self.refuses = False
        self.ends: dict[int, datetime] = {}
        self.kind = Kind(
            name=PARCEL, called=sentence("Parcel"), open=self.open, contents=self.contents, named=self.named, due=self.due,
            ends_at=lambda _session, one: self.ends.get(one), on_collected=self.collected, on_taken_back=self.taken_back,
            on_not_collected=self.not_collected,
        )  # fmt: skip
        monkeypatch.setattr(registry, "_features", (*registry.all(), Feature(name="parcels", collectables=(self.kind,))))

    def arrive(self, user: User, point: PickupPoint, subject_id: int, number: str) -> None:
        """A parcel is put on a shelf, onto the person's one pass at this point."""
        with transaction() as session:
            issued = passes.issue(session, user.id, point.id)
            desk.put_down(session, PARCEL, [Arrived(subject_id, number, "sf", "A-3-12")], issued.id)

    def open(self, _session: Session, ids: Sequence[int]) -> Opened:
        return Opened({one: reason for one, reason in self.stays.items() if one in ids})

    def contents(self, _session: Session, ids: Sequence[int]) -> Mapping[int, Contents]:
        return {one: Contents("sf", "顺丰", "SF Express", ()) for one in ids}

    def named(self, number: str) -> sa.Select[Any]:
        return sa.select(Collectable.subject_id).where(Collectable.kind == PARCEL, Collectable.number == number)

    def due(self, _session: Session, after: int) -> list[int]:
        return sorted(one for one, until in self.ends.items() if one > after and until <= clock.now())

    def collected(self, session: Session, _actor: Actor, _opened: Opened, ids: Sequence[int], _move: Move) -> None:
        self.told.append(("collected", tuple(ids)))
        if self.refuses:
            session.execute(sa.update(SubOrder).values(declined_reason="written in the same transaction"))
            raise WrongState()

    def taken_back(self, _session: Session, _actor: Actor, ids: Sequence[int], _move: Move) -> None:
        self.told.append(("taken back", tuple(ids)))

    def not_collected(self, _session: Session, _actor: Actor, _opened: Opened, subject_id: int, _reason: str) -> Money:
        self.told.append(("not collected", (subject_id,)))
        return ZERO
