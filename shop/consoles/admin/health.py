"""Figures that say whether the shop is well: each with what is usual, so that nobody has to know it by heart. One query."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.consoles.admin import cases
from shop.fulfilment import overdue
from shop.kernel import clock
from shop.kernel.errors import sentence
from shop.models.bills import BillPayment
from shop.models.payments import EventState, Payment, ProposalState, ProviderEvent, Refund, RefundProposal
from shop.models.pickup import OPEN_BATCHES, Batch, BatchState, Cycle
from shop.models.platform import UNFINISHED, AuditEntry, AuditProgress, InvariantCheck, Job, JobState, Partner, PartnerState
from shop.payments.rules import UNSETTLED
from shop.platform import pauses

NOT_CLOSED = sa.text(f"batches.{OPEN_BATCHES.text}")
NOT_THERE = (BatchState.PACKING, BatchState.SEALED, BatchState.IN_TRANSIT)

WHEN: Any = sa.func.coalesce(AuditEntry.at, AuditEntry.at)
"""Said so that the deeds are found by their number, of which few are not sealed, and never by their time."""


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
        "sending_paused", sentence("Restores after which sending is still paused"), 0, True,
        sentence("Nothing is sent to providers. Ask them with “flask backup reconcile”, then say “flask backup resume”."),
    ),
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
        "partners_silent", sentence("Partners that do not answer"), 0, True,
        sentence("They are tried again by themselves; call them if it lasts."), "admin.partners",
    ),
    Sign(
        "jobs_kept_waiting", sentence("Jobs that a silent partner has kept waiting for an hour"), 0, True,
        sentence("Nothing is lost: they are done when it answers. Messages to people may be late."), "admin.partners",
        (("_anchor", "lanes"),),
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
        "refunds_slow", sentence("Refunds on their way for more than an hour"), 0, False,
        sentence("The provider is slow; it is asked again and again."), "admin.people",
    ),
    Sign(
        "refunds_failed", sentence("Money that has not gone back"), 0, True,
        sentence("It belongs to the buyer: send it again, or find another way to give it back."), "admin.refunds",
    ),
    Sign(
        "refunds_proposed", sentence("Refunds that wait for another person's yes"), 0, False,
        sentence("Somebody else of operations or finance says yes or no."), "admin.refunds",
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
        "orders_overdue", sentence("Orders so late that somebody has to decide"), 0, True,
        sentence("Call the shop and the point. What is not found is paid back by itself."), "admin.overdue",
    ),
    Sign(
        "batches_late", sentence("Deliveries two hours late"), 0, False,
        sentence("Packed, and not marked as arrived: call the merchant or the point."), "admin.overdue",
    ),
    Sign(
        "deeds_unsealed", sentence("Deeds not sealed for five minutes"), 0, True,
        sentence("The audit trail is sealed every ten seconds while the worker runs."),
    ),
    Sign(
        "promises_broken", sentence("Promises of the books that do not hold"), 0, True,
        sentence("Stop and look: “flask verify” shows the rows. It stays here until all rows are right again."),
    ),
    Sign(
        "promises_unchecked", sentence("Promises of the books that could not be checked"), 0, False,
        sentence("Run “flask verify --slow”: it says why, and has no limit of time."),
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
    minutes, hour = timedelta(minutes=5), timedelta(hours=1)
    sealed_up_to = sa.select(sa.func.coalesce(sa.func.max(AuditProgress.sealed_up_to), 0)).scalar_subquery()
    counts = {
        "sending_paused": _count(pauses.IS_OPEN),
        "jobs_late": _count(UNFINISHED, Job.state == JobState.QUEUED, Job.run_at < now - minutes),
        "jobs_abandoned": _count(UNFINISHED, Job.state == JobState.RUNNING, Job.lease_until < now),
        "jobs_dead": _count(Job.state == JobState.DEAD),
        "partners_silent": _count(Partner.state == PartnerState.OPEN),
        "jobs_kept_waiting": _count(
            UNFINISHED, Job.state == JobState.QUEUED, Job.last_error.is_not(None), Job.created_at < now - hour, ~Job.is_round
        ),
        "events_waiting": _count(ProviderEvent.state == EventState.RECEIVED, ProviderEvent.received_at < now - minutes),
        "payments_open": _count(cases.PAGES_OPEN, Payment.created_at < now - hour),
        "refunds_slow": _count(
            Refund.state.in_(UNSETTLED), Refund.created_at < now - hour, sa.exists().where(*cases.CARRIED_BY_CARD)
        ),
        "refunds_failed": _count(cases.NOT_BACK),
        "refunds_proposed": _count(RefundProposal.state == ProposalState.ASKED),
        "bills_asking": _count(cases.BEING_ASKED),
        "bills_person": _count(BillPayment.id.is_not(None), cases.WHICH[""]),
        "orders_overdue": overdue.needing_a_person(),
        "batches_late": _count(
            NOT_CLOSED, Batch.state.in_(NOT_THERE), sa.exists().where(Cycle.id == Batch.cycle_id, Cycle.arrives_at < now - 2 * hour)
        ),
        "deeds_unsealed": _count(AuditEntry.id > sealed_up_to, now - minutes > WHEN),
        "promises_broken": _count(InvariantCheck.broken_since.is_not(None)),
        "promises_unchecked": _count(InvariantCheck.trouble != ""),
    }
    row = session.execute(sa.select(*(counts[sign.key].label(sign.key) for sign in SIGNS))).one()
    found = [Reading(sign, getattr(row, sign.key)) for sign in SIGNS]
    return sorted(found, key=lambda reading: ("danger", "warn", "good").index(reading.tone))
