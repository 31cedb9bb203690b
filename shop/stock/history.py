"""What happened to a shelf: who wrote what down, when and why, newest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from shop.kernel import clock
from shop.models.accounts import User
from shop.models.orders import OrderLine, SubOrder
from shop.models.stock import LossReason, MovementKind, StockLoss, StockMovement
from shop.stock import queries, rules

SIZES = (50, 100, 200)


@dataclass(frozen=True, slots=True)
class Movement:
    """One line of a shelf's history, in selling units. `who` is named only for what people wrote down: buyers are nobody's business."""

    id: int
    at: datetime
    kind: MovementKind
    quantity: int
    missing_by: int
    told: int | None
    takes_back_id: int | None
    order_number: str | None
    who: str | None
    reason: LossReason | None
    words: str
    is_taken_back: bool
    is_before_a_count: bool

    @property
    def can_be_taken_back(self) -> bool:
        """Whether the button makes sense; the operation looks again."""
        is_somebodys = self.who is not None and self.kind in rules.BY_HAND and bool(self.quantity or self.missing_by)
        last = self.until
        return is_somebodys and not self.is_taken_back and not self.is_before_a_count and (last is None or clock.now() <= last)

    @property
    def until(self) -> datetime | None:
        """The last moment at which it can be taken back; None for what has none of its own."""
        return rules.last_moment_to_take_back(self.kind, self.at)


def list_movements(
    session: Session, variant_id: int, before: int | None = None, limit: int = SIZES[0]
) -> tuple[Sequence[Movement], int | None]:
    """What happened to a variant's shelf, newest first, and the id before which the next page begins. Two statements."""
    undoing = aliased(StockMovement)
    told_by_people = StockMovement.kind.in_((*rules.BY_HAND, MovementKind.TAKEN_BACK))
    found = (
        sa.select(
            StockMovement.id, StockMovement.at, StockMovement.kind, StockMovement.quantity, StockMovement.missing_by, StockMovement.told,
            StockMovement.takes_back_id, SubOrder.number, User.display_name, StockLoss.reason, StockLoss.words,
            undoing.id.label("undone"),
        )
        .outerjoin(OrderLine, OrderLine.id == StockMovement.order_line_id)
        .outerjoin(SubOrder, SubOrder.id == OrderLine.sub_order_id)
        .outerjoin(User, sa.and_(User.id == StockMovement.actor_id, told_by_people))
        .outerjoin(StockLoss, StockLoss.movement_id == StockMovement.id)
        .outerjoin(undoing, undoing.takes_back_id == StockMovement.id)
        .where(StockMovement.variant_id == variant_id)
        .order_by(StockMovement.id.desc())
        .limit(limit + 1)
    )  # fmt: skip
    if before is not None:
        found = found.where(StockMovement.id < before)
    rows = session.execute(found).all()
    newest = queries.last_count(session, variant_id) or 0
    movements = [
        Movement(
            row.id, row.at, row.kind, row.quantity, row.missing_by, row.told, row.takes_back_id, row.number, row.display_name,
            row.reason, row.words or "", row.undone is not None, row.id < newest,
        )
        for row in rows[:limit]
    ]  # fmt: skip
    return movements, movements[-1].id if len(rows) > limit else None
