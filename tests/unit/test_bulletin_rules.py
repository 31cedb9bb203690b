"""What a notice may say, for how long, and which steps a text takes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from shop.bulletin import rules
from shop.bulletin.errors import EndsBeforeItStarts, IsOver, TextMissing, TooLong
from shop.bulletin.rules import Standing, Step, Wording
from shop.kernel.errors import ShopError
from shop.models.bulletin import BulletinKind, VersionState

TODAY = date(2026, 6, 8)
RIGHT = Wording(BulletinKind.EVENT, "义诊", "周六义诊。", TODAY, TODAY)


def days(first: int, last: int) -> Wording:
    return replace(RIGHT, starts_on=TODAY + timedelta(days=first), ends_on=TODAY + timedelta(days=last))


@pytest.mark.parametrize(
    ("wording", "refusal", "field"),
    [
        (RIGHT, None, None),
        (days(0, 365), None, None),
        (days(-30, 0), None, None),  # its last day is today
        (replace(RIGHT, title_en="Doctors", text_en="They see you."), None, None),
        (replace(RIGHT, title_zh=""), TextMissing, "title_zh"),
        (replace(RIGHT, text_zh=""), TextMissing, "text_zh"),
        (replace(RIGHT, title_en="Doctors"), TextMissing, "text_en"),
        (replace(RIGHT, text_en="They see you."), TextMissing, "title_en"),
        (days(1, 0), EndsBeforeItStarts, "ends_on"),
        (days(-2, -1), IsOver, "ends_on"),
        (days(0, 366), TooLong, "ends_on"),
    ],
)
def test_what_can_be_put_up(wording: Wording, refusal: type[ShopError] | None, field: str | None) -> None:
    if refusal is None:
        rules.check(wording, TODAY)
        return
    with pytest.raises(refusal) as refused:
        rules.check(wording, TODAY)
    assert refused.value.field == field


S = VersionState


@pytest.mark.parametrize(
    ("step", "leads"),
    [
        (Step.SEND, {S.DRAFT: S.WAITING}),
        (Step.PUBLISH, {S.WAITING: S.PUBLISHED}),
        (Step.REFUSE, {S.WAITING: S.REFUSED}),
        (Step.REPLACE, {S.PUBLISHED: S.REPLACED}),
        (Step.WITHDRAW, {S.DRAFT: S.WITHDRAWN, S.WAITING: S.WITHDRAWN, S.PUBLISHED: S.WITHDRAWN}),
    ],
)
def test_the_steps_of_a_text(step: Step, leads: dict[VersionState, VersionState]) -> None:
    assert {state: onto for (state, one), onto in rules.NEXT.items() if one is step} == leads
    assert set(rules.before(step)) == set(leads)


def test_nothing_leads_back_from_what_is_over() -> None:
    assert {state for state, _step in rules.NEXT} == {S.DRAFT, S.WAITING, S.PUBLISHED}


@pytest.mark.parametrize(
    ("state", "first", "last", "stands"),
    [
        (S.PUBLISHED, 0, 0, Standing.SHOWN),
        (S.PUBLISHED, -3, -1, Standing.ENDED),
        (S.PUBLISHED, 1, 2, Standing.TO_COME),
        (S.WAITING, -3, -1, Standing.WAITING),
        (S.WITHDRAWN, 0, 0, Standing.WITHDRAWN),
    ],
)
def test_how_a_text_stands_by_its_days(state: VersionState, first: int, last: int, stands: Standing) -> None:
    wording = days(first, last)
    assert rules.standing(state, wording.starts_on, wording.ends_on, TODAY) is stands


@pytest.mark.parametrize(("kind", "is_pinned", "is_told"), [(k, p, p and k == "government") for k in BulletinKind for p in (True, False)])
def test_only_what_the_government_pins_is_told(kind: BulletinKind, is_pinned: bool, is_told: bool) -> None:
    assert rules.is_told(kind, is_pinned) is is_told


def test_paragraphs_are_the_lines_that_say_something() -> None:
    assert rules.paragraphs("一\n\n  二 \n") == ["一", "二"]


def test_every_kind_has_a_word() -> None:
    assert set(rules.KIND_WORDS) == set(BulletinKind)
