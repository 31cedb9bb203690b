"""How money that goes back is told by the API, the same for orders and payments."""

from __future__ import annotations

from pydantic import Field

from shop.payments.queries import Back
from shop.platform.api.core import Schema


class MoneyBack(Schema):
    """Money that was to go back, late money with it. The three together are all of it."""

    arrived_minor: int = Field(description="Has gone back.")
    on_the_way_minor: int = Field(description="On its way back.")
    held_minor: int = Field(description="Did not arrive; it is with us, and somebody is looking after it.")


def money_back(back: Back) -> MoneyBack:
    return MoneyBack(arrived_minor=back.arrived.fen, on_the_way_minor=back.on_the_way.fen, held_minor=back.held.fen)
