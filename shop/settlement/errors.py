"""Why money cannot be brought in."""

from __future__ import annotations

from shop.kernel.errors import Invalid, ShopError, sentence


class NotThatMuch(Invalid):
    code, field = "not_that_much", "amount"
    message = sentence("A bank takes back, or gives back, no more than the ¥%(paid)s that were paid; a charge is exactly that.")


class TopUpOutOfRange(Invalid):
    code, field = "top_up_out_of_range", "amount"
    message = sentence("Please choose an amount from ¥%(least)s to ¥%(most)s.")


class NeedsAnother(ShopError):
    code, status, field = "needs_another_person", 409, "amount"
    message = sentence("More than ¥%(limit)s needs somebody else's yes. Nothing was given back yet.")


class TopUpBeyondLimit(ShopError):
    """A class I wallet may pay so much in its lifetime; money beyond that would lie in it without use."""

    code, status, field = "top_up_beyond_limit", 409, "amount"
    message = sentence(
        "A class I wallet may pay ¥%(limit)s in all; ¥%(left)s are left, and it holds ¥%(balance)s. More than ¥%(most)s on top could not "
        "be spent. Nothing was charged. Your pick-up point can have the class raised: bring your identity card and bank card."
    )
