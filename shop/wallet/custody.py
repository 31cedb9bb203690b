"""Who holds the money: the licensed institution behind the wallets."""

from __future__ import annotations

from flask import current_app

from shop.platform.language import reader_locale


def custodian() -> str:
    """Its name in the reader's language."""
    return str(current_app.config[f"CUSTODIAN_{reader_locale().upper()}"])
