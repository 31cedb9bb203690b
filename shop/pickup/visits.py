"""Reading passes: what one visit can collect, of whatever kind. Two queries, and one for each kind that is there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.accounts.queries import phone_ends_in
from shop.kernel.rows import one_as
from shop.models.accounts import User
from shop.models.orders import Purchase, PurchaseState, SubOrder, SubOrderState
from shop.models.pickup import Collectable, CollectableState, Pass, PassState
from shop.platform.collecting import Line
from shop.platform.features import registry


@dataclass(frozen=True, slots=True)
class Part:
    """One thing on a pass: a merchant's sub-order, a parcel. `merchant_...` says who sent it, `called` what one calls it."""

    id: int
    kind: str
    number: str
    place: str | None
    state: CollectableState
    ready_at: datetime
    left_at: datetime | None
    merchant_code: str
    merchant_name_zh: str
    merchant_name_en: str
    lines: tuple[Line, ...]

    @property
    def called(self) -> str:
        """As a sentence that is not translated yet."""
        return registry.collectables()[self.kind].called

    @property
    def is_waiting(self) -> bool:
        return self.state is CollectableState.WAITING

    @property
    def collected_at(self) -> datetime | None:
        return self.left_at if self.state is CollectableState.COLLECTED else None

    @property
    def pieces(self) -> int:
        """How many things are put on the counter: units as they were bought, whatever they weigh. A parcel, closed, is one."""
        return sum(line.quantity for line in self.lines) if self.lines else 1


@dataclass(frozen=True, slots=True)
class Visit:
    """A pass with everything on it."""

    id: int
    ref: str
    code: str
    state: PassState
    user_id: int
    holder_name: str
    holder_phone: str
    pickup_point_id: int
    issued_at: datetime
    valid_until: datetime
    used_at: datetime | None
    parts: tuple[Part, ...]

    @property
    def waiting(self) -> tuple[Part, ...]:
        """What is ready to be collected."""
        return tuple(part for part in self.parts if part.is_waiting)

    @property
    def collected(self) -> tuple[Part, ...]:
        """What has left the counter."""
        return tuple(part for part in self.parts if part.collected_at is not None)

    @property
    def orders(self) -> int:
        """Of how many orders something is ready."""
        return len({(part.kind, part.number.rpartition("-")[0] or part.number) for part in self.waiting})

    @property
    def shops(self) -> int:
        """Of how many merchants something is ready."""
        return len({part.merchant_code for part in self.waiting})

    @property
    def is_mixed(self) -> bool:
        """Whether things of several kinds wait on it, so that each says what it is."""
        return len({part.kind for part in self.waiting}) > 1


def live_of(session: Session, user_id: int) -> list[Visit]:
    """A person's live passes, the newest first."""
    return _visits(session, Pass.user_id == user_id, Pass.state == PassState.LIVE)


def one_of(session: Session, user_id: int, ref: str) -> Visit | None:
    """A person's pass, whatever became of it; None when it is not theirs."""
    return next(iter(_visits(session, Pass.user_id == user_id, Pass.ref == ref)), None)


def at_points(session: Session, point_ids: Sequence[int], ref: str) -> Visit | None:
    """A pass of one of these points; None for all others."""
    return next(iter(_visits(session, Pass.pickup_point_id.in_(point_ids), Pass.ref == ref)), None)


def live_at(session: Session, point_id: int) -> list[Visit]:
    """All live passes of a point with something to collect."""
    return [visit for visit in _visits(session, Pass.pickup_point_id == point_id, Pass.state == PassState.LIVE) if visit.waiting]


def by_phone_tail(session: Session, point_id: int, tail: str) -> list[Visit]:
    """The live passes at a point of people whose number ends so, with something to collect."""
    live = (Pass.pickup_point_id == point_id, Pass.state == PassState.LIVE)
    found = _visits(session, *live, phone_ends_in(session, tail, sa.select(Pass.user_id).where(*live)))
    return [visit for visit in found if visit.waiting]


def coming(session: Session, user_id: int) -> int:
    """How many paid orders of a person have not all arrived, however many shops bring them."""
    not_there = (SubOrderState.PLACED, SubOrderState.ACCEPTED, SubOrderState.PACKED, SubOrderState.IN_TRANSIT)
    return (
        session.scalar(
            sa.select(sa.func.count(SubOrder.purchase_id.distinct()))
            .select_from(SubOrder)
            .join(Purchase, Purchase.id == SubOrder.purchase_id)
            .where(SubOrder.user_id == user_id, SubOrder.state.in_(not_there), Purchase.state == PurchaseState.PAID)
        )
        or 0
    )


def _visits(session: Session, *conditions: sa.ColumnElement[bool]) -> list[Visit]:
    columns = (
        Pass.id, Pass.ref, Pass.code, Pass.state, Pass.user_id, User.display_name.label("holder_name"), User.phone.label("holder_phone"),
        Pass.pickup_point_id, Pass.issued_at, Pass.valid_until, Pass.used_at,
    )
    passes = session.execute(sa.select(*columns).join(User, User.id == Pass.user_id).where(*conditions).order_by(Pass.id.desc())).all()
    parts = _parts(session, [row.id for row in passes])
    return [one_as(Visit, row, parts=tuple(parts.get(row.id, ()))) for row in passes]


COLUMNS = (
    Collectable.id, Collectable.kind, Collectable.number, Collectable.place, Collectable.state, Collectable.since.label("ready_at"),
    Collectable.left_at,
)  # fmt: skip
OF_CONTENTS = ("merchant_code", "merchant_name_zh", "merchant_name_en", "lines")


def _parts(session: Session, pass_ids: Sequence[int]) -> dict[int, list[Part]]:
    """What is on these passes, in the order in which it came, with what its kind says of it."""
    found: dict[int, list[Part]] = defaultdict(list)
    if not pass_ids:
        return found
    there = sa.select(Collectable.pass_id, Collectable.subject_id, *COLUMNS).where(Collectable.pass_id.in_(pass_ids))
    rows = session.execute(there.order_by(Collectable.id)).all()
    kinds = registry.collectables()
    subjects: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        subjects[row.kind].append(row.subject_id)
    of_kind = {kind: kinds[kind].contents(session, ids) for kind, ids in subjects.items()}
    for row in rows:
        inside = of_kind[row.kind][row.subject_id]
        more = {name: getattr(inside, name) for name in OF_CONTENTS}
        found[row.pass_id].append(one_as(Part, row, leave_out=("pass_id", "subject_id"), **more))
    return found
