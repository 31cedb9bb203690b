"""People, how they sign in, and what they may do."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from shop.kernel.columns import pk
from shop.kernel.db import Base
from shop.kernel.sealing import Sealed, found_by

TAIL = 4
"""How many last figures of a number people say at a counter."""


def tail_of(phone: str) -> str:
    return phone[-TAIL:]


class UserState(StrEnum):
    ACTIVE = "active"
    CLOSED = "closed"


class User(Base):
    """A person with a mobile number: resident, merchant's clerk, keeper, operator."""

    __tablename__ = "users"
    __table_args__ = (
        sa.CheckConstraint("verification_level BETWEEN 0 AND 3", name="verification_level_known"),
        sa.UniqueConstraint("phone_hash", name="uq_users_phone"),
    )

    id: Mapped[pk]
    phone: Mapped[str] = mapped_column(Sealed("users.phone", found_by="phone_hash", purpose="phone"))  # 11 digits
    phone_hash: Mapped[str] = found_by("phone", purpose="phone")
    phone_tail_hash: Mapped[str] = found_by("phone", purpose="phone tail", part=tail_of, index=True)
    display_name: Mapped[str] = mapped_column(Sealed("users.display_name"))
    state: Mapped[UserState] = mapped_column(default=UserState.ACTIVE)
    verification_level: Mapped[int] = mapped_column(default=0)
    pickup_point_id: Mapped[int | None] = mapped_column(sa.ForeignKey("pickup_points.id"), index=True)
    locale: Mapped[str | None]  # this and the next two: none until the person has chosen
    is_elder_mode: Mapped[bool | None]
    theme: Mapped[str | None]
    totp_secret: Mapped[str | None] = mapped_column(Sealed("users.totp_secret"))
    totp_last_step: Mapped[int | None]
    created_at: Mapped[datetime]


class Role(StrEnum):
    MERCHANT_OWNER = "merchant_owner"
    MERCHANT_CLERK = "merchant_clerk"
    KEEPER = "keeper"
    OPERATOR = "operator"
    FINANCE = "finance"
    AUDITOR = "auditor"


class RoleGrant(Base):
    """A role somebody holds, at a merchant, at a point, or for the city."""

    __tablename__ = "role_grants"

    id: Mapped[pk]
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"), index=True)
    role: Mapped[Role]
    merchant_id: Mapped[int | None] = mapped_column(sa.ForeignKey("merchants.id"))
    pickup_point_id: Mapped[int | None] = mapped_column(sa.ForeignKey("pickup_points.id"))
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class CodePurpose(StrEnum):
    SIGN_IN = "sign_in"
    STEP_UP = "step_up"


class SignInCode(Base):
    """A one-time code sent by SMS: never stored, but made again from id and nonce; short-lived, five tries, used once."""

    __tablename__ = "sign_in_codes"
    __table_args__ = (
        sa.UniqueConstraint("phone_hash", "number", name="uq_sign_in_codes_phone_number"),
        sa.Index("ix_sign_in_codes_created_at", "created_at"),
    )

    id: Mapped[pk]
    phone: Mapped[str] = mapped_column(Sealed("sign_in_codes.phone", found_by="phone_hash", purpose="phone"))
    phone_hash: Mapped[str] = found_by("phone", purpose="phone")
    number: Mapped[int]  # counts the codes of one phone: of two asked for at the same moment one gets it
    purpose: Mapped[CodePurpose]
    nonce: Mapped[str]
    asker: Mapped[str] = mapped_column(default="", server_default="")  # a fingerprint of the address whose allowance it was taken from
    holder: Mapped[str] = mapped_column(default="", server_default="")  # a fingerprint of the browser or person it was made for
    is_known: Mapped[bool] = mapped_column(default=False, server_default=sa.false())  # a browser that signed in to the number before
    tries_left: Mapped[int] = mapped_column(default=5)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class SessionKind(StrEnum):
    WEB = "web"
    API = "api"


class UserSession(Base):
    """A signed-in device. The cookie or token holds a secret whose fingerprint is here; revoking is immediate."""

    __tablename__ = "user_sessions"
    __table_args__ = (sa.Index("ix_user_sessions_user_id", "user_id", "id"),)

    id: Mapped[pk]
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))
    kind: Mapped[SessionKind]
    token_hash: Mapped[str] = mapped_column(unique=True)
    refresh_family: Mapped[str | None] = mapped_column(unique=True)  # fingerprint of what all refresh tokens of a session share
    refresh_hash: Mapped[str | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    refresh_expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    second_factor_at: Mapped[datetime | None]
    second_factor_tries_left: Mapped[int] = mapped_column(default=5)
    device: Mapped[str]
