"""The code by text message that larger payments ask for, at a page's door: sent, or said when there is another; never a dead end."""

from __future__ import annotations

from dataclasses import dataclass

from shop.accounts import operations as accounts
from shop.accounts.errors import CodeSentRecently, TooManyCodes
from shop.accounts.rules import RESEND_AFTER, person
from shop.kernel.db import perform
from shop.models.accounts import CodePurpose
from shop.platform.actor import Actor
from shop.platform.language import reader_locale
from shop.wallet.errors import NoMoreCodes


@dataclass(frozen=True, slots=True)
class CodeAsked:
    """What came of asking: a code is on its way, and another may be asked for in so many seconds; or `refusal`: none before a time."""

    is_sent: bool = False
    again_in: int = 0
    refusal: NoMoreCodes | None = None


def ask(actor: Actor) -> CodeAsked:
    """Have a code sent to the actor. Asked for again too soon, the one on its way stands; with all of them sent, that is said."""
    try:
        perform(accounts.request_code, actor.phone, CodePurpose.STEP_UP, reader_locale(), person(actor.signed_in_id()))
    except CodeSentRecently as error:
        return CodeAsked(is_sent=True, again_in=int(error.details["seconds"]))
    except TooManyCodes as error:
        return CodeAsked(refusal=NoMoreCodes(until=error.details["until"]))
    return CodeAsked(is_sent=True, again_in=int(RESEND_AFTER.total_seconds()))
