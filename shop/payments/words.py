"""How money that goes back is told, the same everywhere: on the order, its payment, in lists, and to staff."""

from __future__ import annotations

from shop.payments.queries import Back
from shop.platform.language import gettext as _


def back_words(back: Back) -> str:
    """What has arrived, what is on its way, what did not arrive and is looked after; empty when nothing was to go back."""
    told = (
        (back.arrived, _("¥%(amount)s given back", amount=back.arrived)),
        (back.on_the_way, _("¥%(amount)s on its way back", amount=back.on_the_way)),
        (back.held, _("¥%(amount)s did not arrive yet, we are looking after it", amount=back.held)),
    )
    return " · ".join(words for amount, words in told if amount)
