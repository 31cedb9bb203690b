"""The backbone's own periodic work: sealing the audit trail, forgetting what need not be kept."""

from __future__ import annotations

from datetime import timedelta

from shop.kernel.db import perform
from shop.platform import audit, idempotency, outbox


@outbox.periodic("audit.seal", every=timedelta(seconds=10))
def seal_audit() -> None:
    while perform(audit.seal):
        pass


@outbox.periodic("platform.prune", every=timedelta(hours=6))
def prune() -> None:
    perform(outbox.prune)
    perform(idempotency.prune)
