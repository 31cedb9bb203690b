"""Where and when goods are collected: points, cycles with their cut-off and slots, batches, passes, what waits, hand-overs."""

from __future__ import annotations

from datetime import date, datetime, time
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from shop.kernel.columns import community_key, moment_key, pk
from shop.kernel.db import Base
from shop.kernel.sealing import Sealed, found_by


class PickupPoint(Base):
    """A staffed place downstairs where a community collects."""

    __tablename__ = "pickup_points"

    id: Mapped[pk]
    slug: Mapped[str] = mapped_column(unique=True)
    community_id: Mapped[int] = mapped_column(sa.ForeignKey("communities.id"), index=True)
    name_zh: Mapped[str]
    name_en: Mapped[str]
    location_zh: Mapped[str]
    location_en: Mapped[str]
    opens: Mapped[time]
    closes: Mapped[time]
    phone: Mapped[str]
    latitude_e6: Mapped[int]  # WGS-84, millionths of a degree
    longitude_e6: Mapped[int]
    is_open: Mapped[bool] = mapped_column(default=True)


class MerchantPoint(Base):
    """A merchant delivers to this point."""

    __tablename__ = "merchant_points"

    merchant_id: Mapped[int] = mapped_column(sa.ForeignKey("merchants.id"), primary_key=True)
    pickup_point_id: Mapped[int] = mapped_column(sa.ForeignKey("pickup_points.id"), primary_key=True)


class Cycle(Base):
    """One delivery of one merchant to one point: ordered until the cut-off, arriving on a day, with so many slots."""

    __tablename__ = "cycles"
    __table_args__ = (
        sa.UniqueConstraint("merchant_id", "pickup_point_id", "arrives_on"),
        sa.CheckConstraint("booked BETWEEN 0 AND capacity", name="booked_within_capacity"),
        sa.CheckConstraint("cut_off_at < arrives_at", name="cut_off_before_arrival"),
        sa.Index("ix_cycles_pickup_point_id_cut_off_at", "pickup_point_id", "cut_off_at"),
        sa.Index("ix_cycles_pickup_point_id_arrives_on", "pickup_point_id", "arrives_on"),
        sa.Index("ix_cycles_merchant_id_arrives_on", "merchant_id", "arrives_on"),
    )

    id: Mapped[pk]
    community_id: Mapped[community_key]
    merchant_id: Mapped[int] = mapped_column(sa.ForeignKey("merchants.id"))
    pickup_point_id: Mapped[int] = mapped_column(sa.ForeignKey("pickup_points.id"))
    arrives_on: Mapped[date]
    cut_off_at: Mapped[datetime]
    arrives_at: Mapped[datetime]
    capacity: Mapped[int]
    booked: Mapped[int] = mapped_column(default=0)
    closed_at: Mapped[datetime | None]  # sent off: nobody joins it any more, even before the cut-off


class BatchState(StrEnum):
    PLANNED = "planned"
    PACKING = "packing"
    SEALED = "sealed"
    IN_TRANSIT = "in_transit"
    ARRIVED = "arrived"
    CHECKED = "checked"
    CLOSED = "closed"


OPEN_BATCHES = sa.text("state <> 'closed'")


class Batch(Base):
    """The goods of one cycle on their way."""

    __tablename__ = "batches"
    __table_args__ = (sa.Index("ix_batches_open", "id", postgresql_where=OPEN_BATCHES, sqlite_where=OPEN_BATCHES),)

    id: Mapped[pk]
    code: Mapped[str] = mapped_column(unique=True)
    community_id: Mapped[community_key]
    cycle_id: Mapped[int] = mapped_column(sa.ForeignKey("cycles.id"), unique=True)
    state: Mapped[BatchState] = mapped_column(default=BatchState.PLANNED)
    created_at: Mapped[datetime]
    sealed_at: Mapped[datetime | None]
    arrived_at: Mapped[datetime | None]
    arrived_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))


class PassState(StrEnum):
    LIVE = "live"
    USED = "used"
    REVOKED = "revoked"


LIVE_PASSES = sa.text("state = 'live'")


class Pass(Base):
    """One visit, one code: what one resident may collect at one point. A person has one live pass per point."""

    __tablename__ = "passes"
    __table_args__ = (
        sa.Index(
            "uq_passes_live_code", "pickup_point_id", "code_hash", unique=True,
            sqlite_where=sa.text("state = 'live'"), postgresql_where=sa.text("state = 'live'"),
        ),
        sa.Index(
            "uq_passes_live_person", "user_id", "pickup_point_id", unique=True,
            sqlite_where=sa.text("state = 'live'"), postgresql_where=sa.text("state = 'live'"),
        ),
        sa.Index("ix_passes_live_valid_until", "valid_until", sqlite_where=LIVE_PASSES, postgresql_where=LIVE_PASSES),
    )

    id: Mapped[pk]
    ref: Mapped[str] = mapped_column(unique=True)
    community_id: Mapped[community_key]
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"), index=True)
    pickup_point_id: Mapped[int] = mapped_column(sa.ForeignKey("pickup_points.id"))
    code: Mapped[str] = mapped_column(Sealed("passes.code", found_by="code_hash", purpose="pass code"))
    code_hash: Mapped[str] = found_by("code", purpose="pass code")  # of six digits, unique among the live passes of a point
    state: Mapped[PassState] = mapped_column(default=PassState.LIVE)
    issued_at: Mapped[datetime]
    valid_until: Mapped[datetime]
    used_at: Mapped[datetime | None]  # when the last of it was collected; a pass nobody used up is closed without


class HandoverOutcome(StrEnum):
    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    REFUSED = "refused"


class Handover(Base):
    """One event at the desk, accepted or refused with its reason; kept for ever, told apart by the device's own id."""

    __tablename__ = "handovers"
    __table_args__ = (
        sa.Index("ix_handovers_keeper_id_received_at", "keeper_id", "received_at"),
        sa.Index("ix_handovers_pickup_point_id_received_at", "pickup_point_id", "received_at"),
        sa.Index("ix_handovers_pickup_point_id_outcome", "pickup_point_id", "outcome", "id"),
        sa.Index("ix_handovers_pickup_point_id", "pickup_point_id", "id"),
    )

    id: Mapped[pk]
    client_id: Mapped[str] = mapped_column(unique=True)
    community_id: Mapped[community_key]
    pickup_point_id: Mapped[int] = mapped_column(sa.ForeignKey("pickup_points.id"))
    pass_id: Mapped[int | None] = mapped_column(sa.ForeignKey("passes.id"), index=True)
    keeper_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))
    outcome: Mapped[HandoverOutcome]
    reason: Mapped[str | None]
    device_time: Mapped[datetime]
    received_at: Mapped[datetime]
    told_hash: Mapped[str | None]  # keyed fingerprint of what was told under this id, to know a repeat from another event
    is_guess: Mapped[bool] = mapped_column(default=False, server_default=sa.false())  # six figures that open nothing here


class CollectableState(StrEnum):
    WAITING = "waiting"
    COLLECTED = "collected"
    NOT_COLLECTED = "not_collected"  # taken off the shelf: nobody came in time


WAITING_COLLECTABLES = sa.text("state = 'waiting'")


class Collectable(Base):
    """One thing that lies at a counter for somebody, or lay there: of which kind, on which pass, and with which hand-over it left.

    One row for each thing, with room for one hand-over: that is the promise that nothing is handed over twice.
    """

    __tablename__ = "collectables"
    __table_args__ = (
        sa.UniqueConstraint("kind", "subject_id"),
        sa.CheckConstraint("(state = 'collected') = (handover_id IS NOT NULL)", name="collected_by_a_hand_over"),
        sa.CheckConstraint("(state = 'waiting') = (left_at IS NULL)", name="state_matches_time"),
        sa.Index("ix_collectables_waiting", "pickup_point_id", "pass_id", sqlite_where=WAITING_COLLECTABLES,
                 postgresql_where=WAITING_COLLECTABLES),
    )  # fmt: skip

    id: Mapped[pk]
    community_id: Mapped[community_key]
    pickup_point_id: Mapped[int] = mapped_column(sa.ForeignKey("pickup_points.id"))
    pass_id: Mapped[int] = mapped_column(sa.ForeignKey("passes.id"), index=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))
    kind: Mapped[str]  # one that a feature registers: what the subject is a row of
    subject_id: Mapped[int] = mapped_column(sa.BigInteger)
    number: Mapped[str] = mapped_column(index=True)  # by which people and devices name it
    source: Mapped[str]  # who sent it, by code: a merchant, a carrier
    place: Mapped[str | None]  # on which shelf, where somebody said so
    state: Mapped[CollectableState] = mapped_column(default=CollectableState.WAITING)
    since: Mapped[datetime]
    left_at: Mapped[datetime | None]  # collected, or taken off the shelf
    handover_id: Mapped[int | None] = mapped_column(sa.ForeignKey("handovers.id"), index=True)


class HandoverKept(Base):
    """A thing that a hand-over named and that stayed at the desk, or came back to it; and why."""

    __tablename__ = "handover_kept"
    __table_args__ = (sa.UniqueConstraint("handover_id", "collectable_id"),)

    id: Mapped[pk]
    community_id: Mapped[community_key]
    handover_id: Mapped[int] = mapped_column(sa.ForeignKey("handovers.id"))
    collectable_id: Mapped[int] = mapped_column(sa.ForeignKey("collectables.id"), index=True)
    reason: Mapped[str]
    received_at: Mapped[moment_key]  # of the hand-over
