"""Bills that are due: each its own customer number, looked up by its payer and payable for as long as a run takes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from bench.rows import write

BILLS = 4_000
AMOUNT = 1_200


def due_bills(session: Any, payers: list[tuple[int, str]]) -> list[dict[str, Any]]:
    """Bills of these people (id and access token), in turn. Written straight into the tables, as if their biller had just answered."""
    import sqlalchemy as sa

    from shop.kernel import clock
    from shop.kernel.money import ZERO, Money
    from shop.models.bills import Bill, BillAccount, Biller, BillerFlow, BillState

    biller = session.scalars(sa.select(Biller).where(Biller.flow == BillerFlow.FETCH_PAY).order_by(Biller.id)).first()
    now = clock.now()
    asked = now + timedelta(hours=3)  # figures may be five minutes old when somebody pays by them
    everyone = range(BILLS)
    whose = [payers[number % len(payers)] for number in everyone]
    common = [{"biller_id": biller.id, "account_no": f"9{number:09d}"} for number in everyone]
    write(session, BillAccount, [
        {
            **common[n], "ref": f"ABENCH{n}", "user_id": whose[n][0], "label": "", "holder_masked": "*梅", "address_masked": "",
            "created_at": now, "fetched_at": asked,
        }
        for n in everyone
    ])  # fmt: skip
    write(session, Bill, [
        {
            **common[n], "ref": f"BBENCH{n}", "biller_ref": f"bench-{n}", "period": "2026-10", "amount": Money(AMOUNT), "late_fee": ZERO,
            "total": Money(AMOUNT), "due_on": clock.local(now).date(), "usage": "", "state": BillState.DUE, "fetched_at": asked,
        }
        for n in everyone
    ])  # fmt: skip
    return [{"token": whose[n][1], "ref": f"BBENCH{n}", "total": AMOUNT} for n in everyone]
