"""What accounts puts on record: each kind of deed, and what it is called."""

from __future__ import annotations

from shop.kernel.errors import sentence
from shop.platform.audit import Tag


class Done(Tag):
    SESSION_SECOND_FACTOR_CONFIRMED = "session.second_factor_confirmed", sentence("Second factor confirmed"), True
    SESSION_SECOND_FACTOR_EXHAUSTED = "session.second_factor_exhausted", sentence("Signed out: wrong second factors"), True
    SESSION_REVOKED = "session.revoked", sentence("Device signed out"), True
    SESSION_ALL_REVOKED = "session.all_revoked", sentence("Signed out everywhere"), True
    SESSION_REFRESH_REUSED = "session.refresh_reused", sentence("Signed out: refresh token used twice"), True
    SECOND_FACTOR_RESET = "second_factor.reset", sentence("Second factor reset"), True
    SECOND_FACTOR_SET_UP = "second_factor.set_up", sentence("Authenticator set up"), True
    USER_VERIFIED = "user.verified", sentence("Identity checked"), True
    ROLE_GRANTED = "role.granted", sentence("Role granted"), True
    ROLE_REVOKED = "role.revoked", sentence("Role taken away"), True


SUBJECTS = {
    "user": sentence("Person"),
    "user_session": sentence("Device"),
}
"""What deeds are done to."""
