"""Why money cannot be brought in."""

from __future__ import annotations

from shop.kernel.errors import Invalid, sentence


class TopUpOutOfRange(Invalid):
    code, field = "top_up_out_of_range", "amount"
    message = sentence("Please choose an amount from ¥%(least)s to ¥%(most)s.")
