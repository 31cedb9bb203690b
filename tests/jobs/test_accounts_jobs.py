"""The text message with a code: once, in time, in the reader's language."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from shop.accounts import credentials, jobs, operations, rules
from shop.kernel import clock
from shop.kernel.db import perform
from shop.models.accounts import CodePurpose
from shop.platform import outbox
from tests.support.factories import Factories
from tests.support.gateways import RecordingSms

PHONE = "13812345678"


@pytest.mark.parametrize(
    ("purpose", "locale", "pattern"),
    [
        (CodePurpose.SIGN_IN, "zh", r"【邻里】验证码 (\d{6})，用于登录，5 分钟内有效。.*请勿告诉他人。"),
        (CodePurpose.STEP_UP, "zh", r"【邻里】验证码 (\d{6})，用于确认付款或变更，5 分钟内有效。.*请勿告诉他人。"),
        (CodePurpose.SIGN_IN, "en", r"【邻里】Your code to sign in is (\d{6}), valid for 5 minutes\. .*"),
        (CodePurpose.STEP_UP, "en", r"【邻里】Your code to confirm a payment or a change is (\d{6}), valid for 5 minutes\. .*"),
    ],
)
def test_the_message_starts_with_the_signature_and_says_what_the_code_is_for(
    make: Factories, sms: RecordingSms, purpose: CodePurpose, locale: str, pattern: str
) -> None:
    row = perform(operations.request_code, PHONE, purpose, locale)
    outbox.run_due()
    (text,) = sms.texts_to(PHONE)
    found = re.fullmatch(pattern, text)
    assert found is not None, text
    assert found[1] == rules.code_digits(row.id, row.nonce)
    credentials.use_code(PHONE, found[1], purpose)


def test_the_owners_language_wins_over_the_askers(make: Factories, sms: RecordingSms) -> None:
    make.user(PHONE, locale="en")
    perform(operations.request_code, PHONE, CodePurpose.SIGN_IN, "zh")
    outbox.run_due()
    assert "Your code" in sms.texts_to(PHONE)[0]


def test_a_repeated_job_is_one_message(make: Factories, sms: RecordingSms) -> None:
    row = perform(operations.request_code, PHONE, CodePurpose.SIGN_IN)
    jobs.send_code(row.id, "zh")
    jobs.send_code(row.id, "zh")
    assert len(sms.texts_to(PHONE)) == 1


def test_a_code_that_is_used_or_too_old_is_not_sent(make: Factories, sms: RecordingSms) -> None:
    row = perform(operations.request_code, PHONE, CodePurpose.SIGN_IN)
    credentials.use_code(PHONE, rules.code_digits(row.id, row.nonce), CodePurpose.SIGN_IN)
    clock.move(timedelta(minutes=2))
    other = perform(operations.request_code, PHONE, CodePurpose.SIGN_IN)
    clock.move(timedelta(minutes=8))
    jobs.send_code(row.id, "zh")
    jobs.send_code(other.id, "zh")
    jobs.send_code(other.id + 1, "zh")
    assert sms.messages == {}


def test_a_new_code_is_a_new_message_although_all_before_it_have_been_forgotten(make: Factories, sms: RecordingSms) -> None:
    for _time in range(2):
        perform(operations.request_code, PHONE, CodePurpose.SIGN_IN)
        outbox.run_due()
        clock.move(clock.shift() + timedelta(days=60))
        perform(operations.forget_old)
    assert len(sms.texts_to(PHONE)) == 2
