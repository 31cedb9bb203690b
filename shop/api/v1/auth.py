"""Signing in through the API."""

from __future__ import annotations

from typing import Any

from flask import request
from pydantic import Field

from shop.accounts import credentials, operations, rules
from shop.accounts.operations import Tokens
from shop.api.v1.core import Schema, route
from shop.kernel.db import perform
from shop.models.accounts import CodePurpose, SessionKind
from shop.platform import limits
from shop.platform.access import open_to_everyone, signed_in
from shop.platform.actor import Actor
from shop.platform.language import reader_locale


class CodeRequest(Schema):
    phone: str = Field(max_length=40, examples=["13800000001"])


class CodeSent(Schema):
    """The same for every number, whether it is known here or not."""

    expires_in: int = Field(description="Seconds the code is valid.")
    resend_after: int = Field(description="Seconds until another can be asked for.")


class TokenRequest(Schema):
    phone: str = Field(max_length=40, examples=["13800000001"])
    code: str = Field(max_length=20, examples=["482193"])
    totp: str | None = Field(default=None, max_length=20, description="Authenticator code; staff need it for their consoles' resources.")


class RefreshRequest(Schema):
    refresh_token: str = Field(max_length=200)


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
    answers={202: CodeSent},
)
@limits.asking_for_codes
def send_sign_in_code(actor: Actor, body: CodeRequest) -> Any:
    perform(operations.request_code, body.phone, CodePurpose.SIGN_IN, reader_locale())
    sent = CodeSent(expires_in=int(rules.CODE_VALID_FOR.total_seconds()), resend_after=int(rules.RESEND_AFTER.total_seconds()))
    return sent, 202


@route(
    "POST", "/auth/step-up-codes", signed_in, summary="Send a one-time code to confirm a payment", tag="Signing in", answers={202: CodeSent}
)
@limits.asking_for_codes
def send_step_up_code(actor: Actor) -> Any:
    perform(operations.request_code, actor.phone, CodePurpose.STEP_UP, reader_locale())
    sent = CodeSent(expires_in=int(rules.CODE_VALID_FOR.total_seconds()), resend_after=int(rules.RESEND_AFTER.total_seconds()))
    return sent, 202


@route(
    "POST", "/auth/tokens", open_to_everyone, summary="Sign in with a code", tag="Signing in", body=TokenRequest, answers={200: TokenPair},
    stores_answer=False,
)
@limits.trying_codes
def create_tokens(actor: Actor, body: TokenRequest) -> Any:
    device = rules.device_name(request.user_agent.string) or "API"
    return pair(credentials.sign_in(body.phone, body.code, SessionKind.API, device, totp=body.totp or ""))


@route(
    "POST", "/auth/tokens/refresh", open_to_everyone, summary="Trade a refresh token for new tokens; each works once", tag="Signing in",
    body=RefreshRequest, answers={200: TokenPair}, stores_answer=False,
)
@limits.trying_codes
def refresh_tokens(actor: Actor, body: RefreshRequest) -> Any:
    return pair(credentials.refresh(body.refresh_token))


@route("DELETE", "/auth/tokens", signed_in, summary="Sign out: both tokens of this sign-in end", tag="Signing in", answers={204: None})
def delete_tokens(actor: Actor) -> Any:
    perform(operations.sign_out, actor)
    return None, 204
