"""The books are checked while the shop runs."""

from __future__ import annotations

from datetime import timedelta

from shop.cli.verify import rounds
from shop.platform import outbox


@outbox.periodic("commands.verify", every=timedelta(minutes=5), lane=outbox.BULK)
def verify() -> None:
    """One round: what has changed, what is open, and some of the rest."""
    rounds.run_round()
