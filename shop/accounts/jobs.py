"""What accounts do after the commit: the text message with a code, and forgetting what is old."""

from __future__ import annotations

from datetime import timedelta

from shop.accounts import operations, queries, rules
from shop.kernel import clock
from shop.kernel.db import finish_reading, perform, reading
from shop.kernel.errors import sentence
from shop.models.accounts import CodePurpose, SignInCode
from shop.platform import outbox, sms
from shop.platform.language import speaking, words

# The signature and the code stand at fixed places: phones and people know the message by them.
TEXTS = {
    CodePurpose.SIGN_IN: sentence("Your code to sign in is %(code)s, valid for 5 minutes. We never ask for it; tell nobody."),
    CodePurpose.STEP_UP: sentence(
        "Your code to confirm a payment or a change is %(code)s, valid for 5 minutes. We never ask for it; tell nobody."
    ),
}


@outbox.job("accounts.send_code", lane=outbox.NOW, is_message=True)
def send_code(code_id: int, locale: str) -> None:
    """Send a code by SMS, in the language of the number's owner, else of whoever asked. Nothing once it is used or too old."""
    session = reading()
    row = session.get(SignInCode, code_id)
    if row is None or row.used_at is not None or row.expires_at <= clock.now():
        return
    owner = queries.user_by_phone(session, row.phone)
    phone, purpose, digits = row.phone, row.purpose, rules.code_digits(row.id, row.nonce)
    language = (owner.locale if owner else None) or locale
    reference = f"code-{code_id}-{row.created_at:%Y%m%d%H%M%S%f}"  # ids of forgotten codes come again, messages must not
    finish_reading()  # nothing is held open while the gateway is asked
    with speaking(language):
        text = words(TEXTS[purpose], code=digits)
    try:
        sms.gateway().send(phone, f"{sms.SIGNATURE}{text}", reference=reference)
    except sms.SmsUnavailable as silence:
        raise outbox.Outage(str(silence)) from silence


@outbox.periodic("accounts.forget_old", every=timedelta(hours=6), lane=outbox.BULK)
def forget_old() -> None:
    perform(operations.forget_old)
