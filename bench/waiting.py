"""Goods that wait at a point, each with a pass of its own: what a desk hands over, one after another."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from bench.rows import write

VISITS = 6_000
PRICE = 1_200
READABLE = str.maketrans("01", "AB")
"""References have no figures that look like letters."""


def waiting_visits(session: Any, point_id: int, community_id: int, cycle_id: int, merchant_id: int) -> list[str]:
    """Paid orders that lie ready, one person and one pass each; the texts of their QR codes. Written straight into the tables."""
    import sqlalchemy as sa

    from shop.kernel import clock
    from shop.kernel.money import ZERO, Money
    from shop.models.accounts import User
    from shop.models.checkout import Quote
    from shop.models.orders import Channel, PaymentMethod, Purchase, PurchaseState, SubOrder, SubOrderState
    from shop.models.pickup import Pass, PassState
    from shop.pickup import codes

    now = clock.now()
    until, price = now + timedelta(days=1), Money(PRICE)

    everyone = range(VISITS)
    here = {"pickup_point_id": point_id, "community_id": community_id}
    sums = {"goods_total": price, "fee_total": ZERO, "discount_total": ZERO, "total": price, "placed_at": now}
    references = [f"V260101-{str(number).zfill(8).translate(READABLE)}" for number in everyone]
    users = write(
        session, User, [{"phone": f"1599{n:07d}", "display_name": "顾客", "verification_level": 1, "created_at": now} for n in everyone]
    )
    taken = set(session.scalars(sa.select(Pass.code).where(Pass.pickup_point_id == point_id)))  # the demo city's own are drawn by chance
    free = [code for number in range(VISITS + len(taken)) if (code := f"{number:06d}") not in taken]
    passes = write(session, Pass, [
        {
            "ref": references[n], "user_id": users[n], "code": free[n], "state": PassState.LIVE, "issued_at": now, "valid_until": until,
            **here,
        }
        for n in everyone
    ])  # fmt: skip
    quotes = write(session, Quote, [
        {"ref": f"QB-{n}", "user_id": users[n], "total": price, "terms": {}, "created_at": now, "expires_at": now, **here} for n in everyone
    ])  # fmt: skip
    purchases = write(session, Purchase, [
        {
            "number": f"LB-{n}", "user_id": users[n], "quote_id": quotes[n], "state": PurchaseState.PAID,
            "method": PaymentMethod.WALLET, "channel": Channel.API, "expires_at": now, "paid_at": now, **here, **sums,
        }
        for n in everyone
    ])  # fmt: skip
    orders = write(session, SubOrder, [
        {
            "number": f"LB-{n}-1", "purchase_id": purchases[n], "merchant_id": merchant_id, "user_id": users[n], "cycle_id": cycle_id,
            "pass_id": passes[n], "state": SubOrderState.READY, "refunded_total": ZERO, "commission_bps": 300, **here, **sums,
        }
        for n in everyone
    ])  # fmt: skip
    lay_at_counter(session, [
        {
            "pass_id": passes[n], "user_id": users[n], "kind": "sub_order", "subject_id": orders[n], "number": f"LB-{n}-1",
            "source": "bench", "since": now, **here,
        }
        for n in everyone
    ])  # fmt: skip
    return [codes.qr_text(reference, until, now) for reference in references]


def lay_at_counter(session: Any, rows: list[dict[str, Any]]) -> None:
    """What says that goods lie there; an older release has no table for it."""
    from shop.models import pickup

    if hasattr(pickup, "Collectable"):
        write(session, pickup.Collectable, rows)
