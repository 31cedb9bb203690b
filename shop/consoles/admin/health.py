"""Figures that say whether the shop is well: each with what is usual, so that nobody has to know it by heart. One query."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.consoles.admin import cases
from shop.kernel import clock
from shop.kernel.errors import sentence
from shop.models.bills import BillPayment
from shop.models.payments import EventState, Payment, PaymentState, ProviderEvent, Refund, RefundState
from shop.models.pickup import Batch, BatchState, Cycle
from shop.models.platform import AuditEntry, AuditSeal, Job, JobState

OPEN_PAYMENTS = (PaymentState.CREATED, PaymentState.REQUIRES_ACTION, PaymentState.PROCESSING)
NOT_THERE = (BatchState.PACKING, BatchState.SEALED, BatchState.IN_TRANSIT)


@dataclass(frozen=True, slots=True)
class Sign:
    """One figure: what it counts, how many are usual at most, and whether more is an alarm or only worth a look."""

    key: str
    label: str
    usual: int
    is_alarm: bool
    advice: str
    endpoint: str = ""
    arguments: tuple[tuple[str, str], ...] = ()


SIGNS = (
    Sign(
        "jobs_late", sentence("Jobs due for more than five minutes"), 0, True,
        sentence("The worker stands still or cannot keep up: see that it runs."), "admin.jobs", (("state", "queued"),),
    ),
    Sign(
        "jobs_abandoned", sentence("Jobs whose worker died"), 2, False,
        sentence("Another worker takes them over by itself within minutes."), "admin.jobs", (("state", "running"),),
    ),
    Sign(
        "jobs_dead", sentence("Jobs that gave up"), 0, True,
        sentence("Read the reason; put each back when it is mended."), "admin.jobs", (("state", "dead"),),
    ),
    Sign(
        "events_waiting", sentence("Messages of the card provider not worked on for five minutes"), 0, True,
        sentence("Payments are settled by the reconciler meanwhile; see that the worker runs."),
    ),
    Sign(
        "payments_open", sentence("Card payments without an end for an hour"), 3, False,
        sentence("Buyers who left the payment page; they close by themselves."),
    ),
    Sign(
        "refunds_slow", sentence("Refunds on their way for more than a day"), 0, False,
        sentence("The provider is slow; it is asked again and again."),
    ),
    Sign(
        "refunds_failed", sentence("Refunds that failed"), 0, True,
        sentence("The money belongs to the buyer: find another way to give it back."), "admin.people",
    ),
    Sign(
        "bills_asking", sentence("Bill payments whose end is being asked for"), 20, False,
        sentence("The billers are asked by themselves; nothing is paid twice."), "admin.people", (("which", "asking"),),
    ),
    Sign(
        "bills_person", sentence("Bill payments that need a person"), 0, True,
        sentence("Ask the biller, by button or by telephone."), "admin.people",
    ),
    Sign(
        "batches_late", sentence("Deliveries two hours late"), 0, False,
        sentence("Packed, and not marked as arrived: call the merchant or the point."),
    ),
    Sign(
        "deeds_unsealed", sentence("Deeds not sealed for five minutes"), 0, True,
        sentence("The audit trail is sealed every ten seconds while the worker runs."),
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reading:
    """A sign and what it shows now."""

    sign: Sign
    count: int

    @property
    def tone(self) -> str:
        """good, warn or danger."""
        if self.count <= self.sign.usual:
            return "good"
        return "danger" if self.sign.is_alarm else "warn"


def _count(*conditions: Any) -> Any:
    return sa.select(sa.func.count()).where(*conditions).scalar_subquery()


def readings(session: Session) -> list[Reading]:
    """All signs as they stand, in one query, those out of the ordinary first."""
    now = clock.now()
    minutes, hour, day = timedelta(minutes=5), timedelta(hours=1), timedelta(days=1)
    sealed_up_to = sa.select(sa.func.coalesce(sa.func.max(AuditSeal.entry_id), 0)).scalar_subquery()  # sealed in the order of their ids
    counts = {
        "jobs_late": _count(Job.state == JobState.QUEUED, Job.run_at < now - minutes),
        "jobs_abandoned": _count(Job.state == JobState.RUNNING, Job.lease_until < now),
        "jobs_dead": _count(Job.state == JobState.DEAD),
        "events_waiting": _count(ProviderEvent.state == EventState.RECEIVED, ProviderEvent.received_at < now - minutes),
        "payments_open": _count(Payment.state.in_(OPEN_PAYMENTS), Payment.created_at < now - hour),
        "refunds_slow": _count(Refund.state == RefundState.SENT, Refund.created_at < now - day),
        "refunds_failed": _count(Refund.state == RefundState.FAILED),
        "bills_asking": _count(cases.BEING_ASKED),
        "bills_person": _count(BillPayment.id.is_not(None), cases.WHICH[""]),
        "batches_late": _count(
            Batch.state.in_(NOT_THERE), sa.exists().where(Cycle.id == Batch.cycle_id, Cycle.arrives_at < now - 2 * hour)
        ),
        "deeds_unsealed": _count(AuditEntry.id > sealed_up_to, AuditEntry.at < now - minutes),
    }
    row = session.execute(sa.select(*(counts[sign.key].label(sign.key) for sign in SIGNS))).one()
    found = [Reading(sign, getattr(row, sign.key)) for sign in SIGNS]
    return sorted(found, key=lambda reading: ("danger", "warn", "good").index(reading.tone))
