"""What nobody does for themselves, whatever role they hold: see docs/decisions/0048."""

from __future__ import annotations

from shop.kernel.errors import Forbidden, sentence
from shop.platform.actor import Actor


class OwnDeed(Forbidden):
    """A member of staff is the one whom it is about: the buyer, the owner of the money or of the account."""

    code = "own_deed"
    message = sentence("This is about yourself, so somebody else has to do it. Nothing was changed.")


def refuse_own(actor: Actor, user_id: int | None) -> None:
    """Raises `OwnDeed` where the actor is the person it is about. Jobs, commands and providers are nobody."""
    if user_id is not None and actor.user_id == user_id:
        raise OwnDeed()
