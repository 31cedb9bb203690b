"""How things stand in the database, for Prometheus: one bounded query for each area, asked again after some seconds at the earliest.

What grows is never counted whole: purchases and payments of the last day, jobs that are to be done or gave up, deeds not sealed yet.
Where even that is more than `MOST`, the figure stays there.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from shop.consoles.admin import health
from shop.kernel import clock
from shop.kernel.db import finish_reading, reading
from shop.models.bills import BillPayment, BillPaymentState
from shop.models.orders import Purchase, PurchaseState
from shop.models.payments import Payment, PaymentState
from shop.models.platform import UNFINISHED, AuditEntry, AuditSeal, Job, JobState, Partner, PartnerState

log = logging.getLogger("shop.figures")

MOST = 100_000
MOST_PARTNERS = 100
KEPT_SECONDS = 10.0
DAY = timedelta(days=1)

UNSETTLED_BILLS = (BillPaymentState.CREATED, BillPaymentState.FUNDS_HELD, BillPaymentState.SENDING, BillPaymentState.UNKNOWN)

Families = Iterator[GaugeMetricFamily]


def family(name: str, says: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"linli_{name}", says, labels=labels)


def jobs(session: Session) -> Families:
    """By lane: what waits until its time, what is due, what runs, and since when the first that is due has been."""
    now = clock.now()
    some = sa.select(Job.lane, Job.state, Job.run_at).where(UNFINISHED).limit(MOST).subquery()
    is_due = sa.and_(some.c.state == JobState.QUEUED, some.c.run_at <= now)
    rows = session.execute(
        sa.select(
            some.c.lane,
            sa.func.count().filter(some.c.state == JobState.QUEUED, some.c.run_at > now).label("later"),
            sa.func.count().filter(is_due).label("due"),
            sa.func.count().filter(some.c.state == JobState.RUNNING).label("running"),
            sa.type_coerce(sa.func.min(sa.case((is_due, some.c.run_at))), Job.run_at.type).label("oldest"),
        ).group_by(some.c.lane)
    ).all()
    counts = family("jobs", "Jobs that are not finished.", "lane", "state")
    ages = family("job_oldest_seconds", "For how long the first job that is due has been.", "lane")
    for row in rows:
        for state in ("later", "due", "running"):
            counts.add_metric([row.lane, state], getattr(row, state))
        ages.add_metric([row.lane], (now - row.oldest).total_seconds() if row.oldest else 0)
    yield from (counts, ages)


def dead_jobs(session: Session) -> Families:
    """By lane: jobs that gave up and wait for a person to read why."""
    some = sa.select(Job.lane).where(Job.state == JobState.DEAD).limit(MOST).subquery()
    counts = family("jobs_dead", "Jobs that gave up and were not put back.", "lane")
    for lane, count in session.execute(sa.select(some.c.lane, sa.func.count()).group_by(some.c.lane)):
        counts.add_metric([lane], count)
    yield counts


def of_states(states: Sequence[StrEnum], *conditions: Any, column: Any) -> Any:
    """One count for each state, each through the index that begins with the state, in one statement."""
    return sa.select(
        *(
            sa.select(sa.func.count())
            .select_from(sa.select(sa.literal(1)).where(column == state, *conditions).limit(MOST).subquery())
            .scalar_subquery()
            .label(state.value)
            for state in states
        )
    )


def counted(session: Session, figure: GaugeMetricFamily, question: Any) -> Families:
    for state, count in session.execute(question).one()._mapping.items():
        figure.add_metric([state], count)
    yield figure


def purchases(session: Session) -> Families:
    """Placed within a day, by state. They expire within the hour after, so the index of that finds them."""
    recent = (Purchase.expires_at >= clock.now() - DAY, Purchase.placed_at >= clock.now() - DAY)
    figure = family("purchases_of_a_day", "Purchases placed in the last 24 hours.", "state")
    yield from counted(session, figure, of_states(tuple(PurchaseState), *recent, column=Purchase.state))


def payments(session: Session) -> Families:
    """Begun within a day, by state."""
    figure = family("payments_of_a_day", "Payments begun in the last 24 hours.", "state")
    yield from counted(session, figure, of_states(tuple(PaymentState), Payment.created_at >= clock.now() - DAY, column=Payment.state))


def bills(session: Session) -> Families:
    """Bill payments whose end is not known, by state."""
    figure = family("bill_payments_open", "Bill payments that have not ended.", "state")
    yield from counted(session, figure, of_states(UNSETTLED_BILLS, column=BillPayment.state))


def partners(session: Session) -> Families:
    """Those that ever failed: whether they are left alone, and how often in a row they have failed."""
    silent = family("partner_silent", "1 while nobody asks this partner because it does not answer.", "partner")
    failures = family("partner_failures", "Failures in a row.", "partner")
    for row in session.execute(sa.select(Partner.name, Partner.state, Partner.failures).order_by(Partner.name).limit(MOST_PARTNERS)):
        silent.add_metric([row.name], int(row.state is PartnerState.OPEN))
        failures.add_metric([row.name], row.failures)
    yield from (silent, failures)


def deeds(session: Session) -> Families:
    """What of the audit trail is not sealed yet."""
    sealed_up_to = sa.select(sa.func.coalesce(sa.func.max(AuditSeal.entry_id), 0)).scalar_subquery()
    some = sa.select(AuditEntry.at).where(AuditEntry.id > sealed_up_to).order_by(AuditEntry.id).limit(MOST).subquery()
    first = sa.type_coerce(sa.func.min(some.c.at), AuditEntry.at.type)
    count, since = session.execute(sa.select(sa.func.count(), first).select_from(some)).one()
    unsealed = family("audit_unsealed", "Deeds not yet in the chain of seals.")
    unsealed.add_metric([], count)
    age = family("audit_unsealed_seconds", "Age of the first deed that is not in the chain of seals.")
    age.add_metric([], (clock.now() - since).total_seconds() if since else 0)
    yield from (unsealed, age)


def signs(session: Session) -> Families:
    """The figures of the operators' page of health, and whether each is out of the ordinary."""
    counts = family("sign", "A figure of the page of health.", "sign")
    alarms = family("sign_alarm", "1 while a figure is more than usual and somebody has to act.", "sign")
    for found in health.readings(session):
        counts.add_metric([found.sign.key], found.count)
        alarms.add_metric([found.sign.key], int(found.tone == "danger"))
    yield from (counts, alarms)


AREAS: tuple[Callable[[Session], Families], ...] = (jobs, dead_jobs, purchases, payments, bills, partners, deeds, signs)


class Standing(Collector):
    """Asks the areas, at most once in `KEPT_SECONDS` for all who ask this process. One that fails is left out, and the failure told."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.asked_at = float("-inf")
        self.found: list[GaugeMetricFamily] = []

    def collect(self) -> Iterable[GaugeMetricFamily]:
        with self.lock:
            if time.monotonic() - self.asked_at >= KEPT_SECONDS:
                self.found = list(self.ask())
                self.asked_at = time.monotonic()
            return self.found

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Nothing is asked when this is registered."""
        return ()

    def forget(self) -> None:
        """Ask anew next time."""
        self.asked_at = float("-inf")

    def ask(self) -> Families:
        failed = family("standing_failed", "1 when an area of the database could not be asked.", "area")
        for area in AREAS:
            try:
                found = list(area(reading()))
            except SQLAlchemyError as error:
                log.warning("the figures of %s could not be read: %s", area.__name__, error)
                found = []
                failed.add_metric([area.__name__], 1)
            else:
                failed.add_metric([area.__name__], 0)
            finally:
                finish_reading()
            yield from found
        yield failed
