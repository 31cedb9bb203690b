"""Money on its way back to cards."""

from __future__ import annotations

from shop.kernel.errors import sentence
from shop.payments import refunding
from shop.platform import notices, outbox

notices.declare(
    "payment.refund_failed",
    sentence("A refund did not arrive"),
    sentence("Your bank did not take ¥%(amount)s back. The money is safe with us; we are looking into it and will contact you."),
)


@outbox.job("payments.send_refund")
def send_refund(refund_id: int) -> None:
    refunding.send(refund_id)
