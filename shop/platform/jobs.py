"""The backbone's own periodic work: sealing the audit trail and checking it, forgetting what need not be kept."""

from __future__ import annotations

import logging
import time
from datetime import timedelta

from shop.kernel import db
from shop.kernel.db import finish_reading, perform, reading
from shop.platform import audit_chains, audit_checks, outbox, retention
from shop.platform.features import registry

log = logging.getLogger("shop.retention")


@outbox.periodic("audit.seal", every=timedelta(seconds=10), lane=outbox.BULK)
def seal_audit() -> None:
    while perform(audit_chains.seal):
        pass


@outbox.periodic("platform.statistics", every=timedelta(hours=6), lane=outbox.BULK)
def refresh_statistics() -> None:
    """Lists are walked along their indexes only where the database knows that their tables have grown."""
    db.refresh_statistics()


@outbox.periodic("audit.anchor", every=timedelta(hours=1), lane=outbox.BULK)
def anchor_audit() -> None:
    chains = audit_checks.to_anchor(reading())
    finish_reading()
    perform(audit_checks.anchor, chains)


@outbox.periodic("platform.prune", every=timedelta(hours=1), lane=outbox.BULK)
def prune() -> None:
    """Forget what need not be kept, table after table, for no longer than a round may take; the next round goes on from there."""
    until = time.monotonic() + retention.SECONDS
    for model, keep in registry.keeps().items():
        for number, rule in enumerate(keep.forget):
            if gone := retention.prune(model, rule, number, until):
                log.info("%s rows of %s forgotten", gone, model.__tablename__)
