"""The ledger's own periodic work."""

from __future__ import annotations

from datetime import timedelta

from shop.kernel.db import perform
from shop.platform import outbox
from shop.wallet import closing


@outbox.periodic("wallet.close_day", every=timedelta(hours=1), lane=outbox.BULK)
def close_day() -> None:
    perform(closing.close_day)
