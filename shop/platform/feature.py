"""What the backbone brings."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from shop.kernel.errors import sentence
from shop.models.platform import (
    AuditChain,
    AuditEntry,
    AuditGap,
    AuditLink,
    AuditProgress,
    AuditSeal,
    IdempotencyKey,
    InvariantCheck,
    Job,
    JobState,
    Mark,
    Notice,
    Partner,
    Restoration,
)
from shop.platform import files, health, jobs, spread
from shop.platform.carriers import carriers
from shop.platform.features import Feature
from shop.platform.idempotency import KEPT_FOR
from shop.platform.outbox import PERIODIC
from shop.platform.permissions import PlatformPermission
from shop.platform.plumbing import INVARIANTS
from shop.platform.retention import Forget, Keep
from shop.platform.tags import FACTS, SUBJECTS, Done
from shop.platform.typed import AT_WORK, Reader, Typed

FEATURE = Feature(
    name="platform",
    blueprints=(health.bp, files.bp),
    jobs=(jobs,),
    invariants=(*INVARIANTS, *spread.INVARIANTS),
    owns=(
        AuditEntry, AuditSeal, AuditChain, AuditLink, AuditProgress, AuditGap, Job, IdempotencyKey, InvariantCheck, Mark, Notice, Partner,
        Restoration,
    ),
    keeps={
        AuditEntry: Keep("For good: every entry is a link of the chain that shows that none was changed."),
        AuditSeal: Keep("As long as the entry it seals."),
        AuditChain: Keep("One per community and month."),
        AuditLink: Keep("As long as the entry it chains."),
        AuditProgress: Keep("One row."),
        AuditGap: Keep("For good: a number that never came is part of what the record shows."),
        Job: Keep(
            "Periodic work a week; other work that is done 180 days, longer than anything repeats itself; what gave up for good.",
            (
                Forget(timedelta(days=7), Job.created_at, lambda: sa.and_(Job.state == JobState.DONE, Job.kind.in_(list(PERIODIC)))),
                Forget(timedelta(days=180), Job.created_at, lambda: Job.state == JobState.DONE),
            ),
        ),
        IdempotencyKey: Keep(
            "Thirty days, as the API promises; a repeat after that meets the keys of the deed itself.",
            (Forget(KEPT_FOR, IdempotencyKey.created_at),),
        ),
        InvariantCheck: Keep("One per invariant."),
        Mark: Keep("One per table that is walked along."),
        Notice: Keep(
            "A year once read, three years unread: as long as what they tell of can be claimed.",
            (
                Forget(timedelta(days=365), Notice.created_at, lambda: Notice.read_at.is_not(None)),
                Forget(timedelta(days=3 * 365), Notice.created_at),
            ),
        ),
        Partner: Keep("One per partner that ever failed."),
        Restoration: Keep("For good: when the shop was brought back from a backup."),
    },
    typed={
        AuditEntry.facts: Typed(what=sentence("Reasons on the record of who did what"), by=AT_WORK, readers=(Reader.STAFF,)),
        Notice.facts: Typed(what=sentence("Reasons in your messages"), by=AT_WORK, readers=(Reader.BUYER,)),
    },
    done=Done,
    subjects=SUBJECTS,
    permissions=PlatformPermission,
    facts=FACTS,
    partners=carriers,
)
