"""Signing in through the API."""

from __future__ import annotations

from typing import Annotated, Any

from flask import request
from pydantic import Field

from shop.accounts import browser, credentials, operations, rules
from shop.accounts.errors import AccountClosed, RefreshRefused
from shop.accounts.operations import Tokens
from shop.kernel.db import perform
from shop.models.accounts import CodePurpose, SessionKind
from shop.platform import limits
from shop.platform.access import open_to_everyone, signed_in
from shop.platform.actor import Actor
from shop.platform.api.core import Schema, route
from shop.platform.api.fields import READABLE
from shop.platform.language import reader_locale


class CodeRequest(Schema):
    phone: Annotated[str, Field(max_length=40), READABLE] = Field(examples=["13800000001"])


class CodeSent(Schema):
    """The same for every number, whether it is known here or not."""

    expires_in: int = Field(description="Seconds the code is valid.")
    resend_after: int = Field(description="Seconds until another can be asked for.")


class TokenRequest(Schema):
    phone: Annotated[str, Field(max_length=40), READABLE] = Field(examples=["13800000001"])
    code: Annotated[str, Field(max_length=20), READABLE] = Field(examples=["482193"])
    totp: Annotated[str, Field(max_length=20), READABLE] | None = Field(
        default=None, description="Authenticator code; staff need it for their consoles' resources."
    )


class SessionsQuery(Schema):
    this_one_too: bool = Field(default=False, description="Whether the session that asks ends as well.")


class RefreshRequest(Schema):
    refresh_token: Annotated[str, Field(max_length=200), READABLE]


class TokenPair(Schema):
    access_token: str
    refresh_token: str
    token_type: str
    expires_in: int = Field(description="Seconds until the access token ends.")


def pair(tokens: Tokens) -> TokenPair:
    return TokenPair(
        access_token=tokens.access, refresh_token=tokens.refresh or "", token_type="Bearer", expires_in=tokens.expires_in  # noqa: S106
    )


@route(
    "POST", "/auth/codes", open_to_everyone, summary="Send a one-time code by SMS", tag="Signing in", body=CodeRequest,
    answers={202: CodeSent}, limit=limits.asking_for_codes,
)
def send_sign_in_code(actor: Actor, body: CodeRequest) -> Any:
    perform(operations.request_code, body.phone, CodePurpose.SIGN_IN, reader_locale(), browser.asker_by_address())
    sent = CodeSent(expires_in=int(rules.CODE_VALID_FOR.total_seconds()), resend_after=int(rules.RESEND_AFTER.total_seconds()))
    return sent, 202


@route(
    "POST", "/auth/step-up-codes", signed_in, summary="Send a one-time code to confirm a payment", tag="Signing in", answers={202: CodeSent}
)
def send_step_up_code(actor: Actor) -> Any:
    perform(operations.request_code, actor.phone, CodePurpose.STEP_UP, reader_locale(), rules.person(actor.signed_in_id()))
    sent = CodeSent(expires_in=int(rules.CODE_VALID_FOR.total_seconds()), resend_after=int(rules.RESEND_AFTER.total_seconds()))
    return sent, 202


@route(
    "POST", "/auth/tokens", open_to_everyone, summary="Sign in with a code", tag="Signing in", body=TokenRequest, answers={200: TokenPair},
    refuses=(AccountClosed,), stores_answer=False, limit=limits.trying_codes,
)
def create_tokens(actor: Actor, body: TokenRequest) -> Any:
    device = rules.device_name(request.user_agent.string) or "API"
    asker = browser.asker_by_address()
    return pair(credentials.sign_in(body.phone, body.code, SessionKind.API, device, totp=body.totp or "", asker=asker))


@route(
    "POST", "/auth/tokens/refresh", open_to_everyone, summary="Trade a refresh token for new tokens; each works once", tag="Signing in",
    body=RefreshRequest, answers={200: TokenPair}, refuses=(RefreshRefused,), stores_answer=False, limit=limits.trying_codes,
)
def refresh_tokens(actor: Actor, body: RefreshRequest) -> Any:
    return pair(credentials.refresh(body.refresh_token))


@route("DELETE", "/auth/tokens", signed_in, summary="Sign out: both tokens of this sign-in end", tag="Signing in", answers={204: None})
def delete_tokens(actor: Actor) -> Any:
    perform(operations.sign_out, actor)
    return None, 204


@route(
    "DELETE", "/auth/sessions", signed_in, summary="Sign out everywhere else; with `this_one_too=true` here as well", tag="Signing in",
    query=SessionsQuery, answers={204: None},
)
def delete_sessions(actor: Actor, query: SessionsQuery) -> Any:
    perform(operations.revoke_all, actor, actor.signed_in_id(), keep=None if query.this_one_too else actor.session_id)
    return None, 204
