"""What is personal lies sealed in the database, is plain everywhere else, and is found by its hash."""

from __future__ import annotations

import re
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from shop.accounts import queries
from shop.kernel import keys
from shop.kernel.columns import CITY
from shop.kernel.db import Base, database, reading, transaction
from shop.kernel.keys import CannotOpen, KeyRing
from shop.kernel.sealing import Sealed, hash_columns, sealed_columns
from shop.models.accounts import SignInCode, User
from shop.models.bills import Bill, BillAccount
from shop.models.pickup import Pass
from shop.models.platform import Notice
from tests.support import right_books
from tests.support.factories import Factories
from tests.support.sealed import RING

SPELLING = re.compile(r"\d+:[A-Za-z0-9+/]{38,}={0,2}")
PHONE = "13800138765"


def stored(statement: str) -> list[Any]:
    with database.engines[None].connect() as connection:
        return list(connection.exec_driver_sql(statement).all())


def test_what_is_sealed_comes_back_and_never_looks_the_same_twice() -> None:
    once, again = RING.seal("users.phone", PHONE), RING.seal("users.phone", PHONE)
    assert once != again
    assert SPELLING.fullmatch(once)
    assert RING.open("users.phone", once) == RING.open("users.phone", again) == PHONE
    assert RING.open("users.phone", RING.seal("users.phone", "")) == ""


@pytest.mark.parametrize(
    ("place", "sealed"),
    [
        ("users.display_name", RING.seal("users.phone", PHONE)),  # moved to another column
        ("users.phone", RING.seal("users.phone", PHONE).replace("1:", "2:", 1)),  # a version without a key
        ("users.phone", RING.seal("users.phone", PHONE)[:-8] + "AAAAAAA="),
        ("users.phone", PHONE),
        ("users.phone", "1:"),
        ("users.phone", "1:钥匙"),
        ("users.phone", ":x"),
    ],
    ids=["of another column", "of a version without a key", "changed", "in clear", "empty", "no base64", "without a version"],
)
def test_what_was_changed_or_moved_does_not_open(place: str, sealed: str) -> None:
    with pytest.raises(CannotOpen) as refused:
        RING.open(place, sealed)
    assert PHONE not in str(refused.value)


def test_the_first_key_seals_and_all_open() -> None:
    old, new = (bytes(range(start, start + 32)) for start in (1, 50))
    before, rolled, after = (KeyRing.of(known, b"l" * 32) for known in ({1: old}, {1: old, 2: new}, {2: new, 1: old}))
    assert rolled.seal("t.c", "x").startswith("1:")
    assert after.seal("t.c", "x").startswith("2:")
    assert rolled.open("t.c", after.seal("t.c", "x")) == after.open("t.c", before.seal("t.c", "x")) == "x"
    assert before.find("phone", PHONE) == after.find("phone", PHONE), "what is found by survives a new key"
    assert before.find("phone", PHONE) != before.find("bill account", PHONE)


def test_every_sealed_column_names_its_own_place() -> None:
    found = sealed_columns(Base.metadata)
    assert {f"{table.name}.{column.name}" for table, columns in found.items() for column in columns} == {
        "users.phone", "users.display_name", "users.totp_secret", "sign_in_codes.phone", "bill_accounts.account_no", "bill_accounts.label",
        "bill_accounts.holder_masked", "bill_accounts.address_masked", "bills.account_no", "bill_payments.account_no",
        "bill_payments.holder_masked", "passes.code", "idempotency_keys.body", "notices.facts", "applications.person",
        "application_messages.text", "paper_slices.content",
    }  # fmt: skip
    for table, columns in found.items():
        for column in columns:
            kind = column.type
            assert isinstance(kind, Sealed)
            assert kind.place == f"{table.name}.{column.name}"
            if kind.found_by:
                assert hash_columns(table)[kind.found_by][:2] == (column.name, kind.purpose)


def test_nothing_personal_of_right_books_lies_in_clear(app: Flask) -> None:
    right_books.write()
    for table, columns in sealed_columns(Base.metadata).items():
        for column in columns:
            values = [row[0] for row in stored(f"SELECT {column.name} FROM {table.name}") if row[0]]
            assert all(SPELLING.fullmatch(value) for value in values), f"{table.name}.{column.name}"
    (phone, digest, tail), *_ = stored("SELECT phone, phone_hash, phone_tail_hash FROM users ORDER BY id")
    assert RING.open("users.phone", phone) == "13800000101"
    assert (digest, tail) == (RING.find("phone", "13800000101"), RING.find("phone tail", "0101"))


def test_people_are_found_by_number_and_by_its_end(make: Factories) -> None:
    mine, other = make.user(PHONE), make.user("13900008765")
    session = reading()
    among = sa.select(User.id)
    assert queries.user_by_phone(session, PHONE).id == mine.id  # type: ignore[union-attr]
    assert set(session.scalars(sa.select(User.id).where(User.phone.in_([PHONE, "13700000000"])))) == {mine.id}
    for figures, found in [
        ("8765", {mine.id, other.id}), (PHONE, {mine.id}), ("38765", {mine.id}), ("65", {mine.id, other.id}), ("8760", set()), ("%", set()),
    ]:  # fmt: skip
        assert set(session.scalars(sa.select(User.id).where(queries.phone_ends_in(session, figures, among)))) == found, figures


@pytest.mark.parametrize(
    "compare",
    [
        lambda: User.phone.like("138%"), lambda: User.phone.endswith("1"), lambda: User.phone < "139", lambda: User.display_name == "李梅",
        lambda: User.phone.desc(), lambda: Pass.code == 5, lambda: User.phone == sa.bindparam("phone"),
    ],
)  # fmt: skip
def test_comparisons_that_would_find_nothing_are_refused(compare: Any) -> None:
    with pytest.raises(TypeError, match="sealed"):
        compare()


def test_columns_of_one_purpose_are_joined_by_hash() -> None:
    assert str(BillAccount.account_no == Bill.account_no) == "bill_accounts.account_hash = bills.account_hash"
    assert str(sa.orm.aliased(User, name="them").phone == PHONE) == "them.phone_hash = :phone_hash_1"
    assert str(User.totp_secret.is_(None)) == "users.totp_secret IS NULL"


def test_a_number_belongs_to_one_person(make: Factories) -> None:
    make.user(PHONE)
    with pytest.raises(sa.exc.IntegrityError):
        make.user(PHONE)


def test_facts_of_notices_and_numbers_of_codes_are_sealed_documents(make: Factories) -> None:
    user = make.user(PHONE)
    moment = user.created_at
    facts = {"community_id": CITY, "kind": "k", "link": "", "dedupe_key": "n", "created_at": moment}
    notice = make.save(Notice(user_id=user.id, facts={"code": "123 456"}, **facts))
    make.save(SignInCode(phone=PHONE, number=1, purpose="sign_in", nonce="n", created_at=moment, expires_at=moment))
    assert reading().get_one(Notice, notice.id).facts == {"code": "123 456"}
    assert "123 456" not in stored("SELECT facts FROM notices")[0][0]
    assert stored("SELECT phone_hash FROM sign_in_codes") == stored("SELECT phone_hash FROM users")


def test_a_shop_without_keys_reads_nothing(make: Factories, monkeypatch: pytest.MonkeyPatch) -> None:
    user = make.user(PHONE)
    monkeypatch.setattr(keys, "_ring", KeyRing.of({2: bytes(range(32))}, b"l" * 32))
    with pytest.raises(CannotOpen), transaction() as session:
        session.get_one(User, user.id)
