"""Codes of the register, papers by kind, what is missing, and which steps there are."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from shop.merchants.errors import InvalidCreditCode, WrongCreditCode
from shop.merchants.rules import check_character, credit_code
from shop.models.onboarding import ApplicantKind, ApplicationState, Food, PaperKind
from shop.onboarding import rules, scans
from shop.onboarding.errors import CommissionUnclear, EndMissing, PaperExpired, PaperMissing, PaperTooLarge, PaperUnreadable
from shop.onboarding.rules import Facts, Step, Subject
from tests.support.applying import photo

pytestmark = pytest.mark.one_engine

TODAY = date(2026, 6, 8)


@pytest.mark.parametrize(
    "code",
    [
        "91350100M000100Y43", "91511002MAY0004470", "91511002MAY0000176", "91511002MAY0000251", "91511011MAY000033W", "91511011MAY000041P",
        "91511024MAY00005XA", "91511083MAY000068Q", "92511002MAY0000766", "92511002MAY0000841", "92511011MAY000092W", "92511011MAY000105J",
        "93511025MAY000113K", "93511024MAY0001210", "93511011MAY00013XW", "52511002MJY000159P", "12511000MJY000167R",
    ],
)  # fmt: skip
def test_a_code_of_the_register_is_known(code: str) -> None:
    assert credit_code(code) == code
    assert check_character(code[:-1]) == code[-1]


@pytest.mark.parametrize(
    "typed", ["92511002may0000766", " 9251 1002 MAY0 0007 66 ", "92511002-MAY000076-6", "９２５１１００２ＭＡＹ００００７６６"]
)  # fmt: skip
def test_a_code_is_read_as_it_was_meant(typed: str) -> None:
    assert credit_code(typed) == "92511002MAY0000766"


@pytest.mark.parametrize("code", ["91350100M000100Y44", "91350100M000100Y4Z", "92511002MAY0000767", "92511002MAY0007066"])
def test_a_wrong_character_is_found(code: str) -> None:
    with pytest.raises((WrongCreditCode, InvalidCreditCode)):
        credit_code(code)


@pytest.mark.parametrize(
    "code", ["", "91350100I000100Y43", "91350100M000100Y4", "91350100M000100Y433", "91350100M000100O43", "内" * 18, "9" * 500]
)
def test_what_is_no_code_is_refused(code: str) -> None:
    with pytest.raises(InvalidCreditCode):
        credit_code(code)


def test_every_single_slip_in_a_code_is_found() -> None:
    right = "92511002MAY0000766"
    for place in range(len(right)):
        for other in set("0123456789ABCDEFGHJKLMNPQRTUWXY") - {right[place]}:
            with pytest.raises(WrongCreditCode):
                credit_code(right[:place] + other + right[place + 1 :])


LICENCE, IDENTITY = PaperKind.BUSINESS_LICENCE, PaperKind.IDENTITY


@pytest.mark.parametrize(
    ("kind", "food", "papers"),
    [
        (ApplicantKind.SHOP, Food.NONE, (LICENCE, IDENTITY)),
        (ApplicantKind.SHOP, Food.PACKAGED, (LICENCE, PaperKind.PACKAGED_FILING, IDENTITY)),
        (ApplicantKind.SHOP, Food.OTHER, (LICENCE, PaperKind.FOOD_PERMIT, IDENTITY)),
        (ApplicantKind.STALL, Food.PRODUCE, (LICENCE, IDENTITY)),
        (ApplicantKind.CO_OP, Food.PRODUCE, (LICENCE, PaperKind.PRODUCE_CERTIFICATE, IDENTITY)),
        (ApplicantKind.SERVICE_PROVIDER, Food.NONE, (LICENCE, IDENTITY)),
        (ApplicantKind.FARMER, Food.PRODUCE, (PaperKind.ORIGIN_PROOF, PaperKind.PRODUCE_CERTIFICATE, IDENTITY)),
    ],
)
def test_each_kind_has_its_papers(kind: ApplicantKind, food: Food, papers: tuple[PaperKind, ...]) -> None:
    assert rules.needed_papers(kind, food) == papers
    assert rules.missing_papers(kind, food, papers) == ()
    assert rules.missing_papers(kind, food, papers[1:]) == papers[:1]


def test_without_a_licence_nothing_but_produce_is_sold() -> None:
    assert rules.foods_of(ApplicantKind.FARMER) == (Food.PRODUCE,)
    assert set(rules.foods_of(ApplicantKind.SHOP)) == set(Food)


FULL = Facts(ApplicantKind.SHOP, "果铺", "水果", Food.NONE, "水果店", "92511002MAY0000766", "李梅", False, [1])


def test_what_is_missing_is_named_by_its_subject() -> None:
    papers = rules.needed_papers(FULL.kind, FULL.food)
    assert rules.missing(FULL, papers) == ()
    assert rules.missing(FULL, ()) == (Subject.PAPERS,)
    nothing = Facts(ApplicantKind.FARMER, "", "", None, "", "", "", False, [])
    assert rules.missing(nothing, ()) == (Subject.SHOP, Subject.REGISTER, Subject.POINTS, Subject.PAPERS)


def test_what_is_decided_stays_decided() -> None:
    over = {ApplicationState.APPROVED, ApplicationState.DECLINED, ApplicationState.WITHDRAWN}
    assert not over & {state for state, _ in rules.NEXT}
    assert {rules.after(step) for step in Step} == set(ApplicationState) - {ApplicationState.DRAFT}


@pytest.mark.parametrize(("typed", "share"), [("3", 300), ("2.5", 250), ("0", 0), ("30", 3_000), (" 4 % ", 400), ("0.05", 5)])
def test_a_commission_is_read(typed: str, share: int) -> None:
    assert rules.commission(typed) == share


@pytest.mark.parametrize("typed", ["", "-1", "31", "3.123", "x", "3,5", "1e1", ".", "٣"])
def test_an_unclear_commission_is_refused(typed: str) -> None:
    with pytest.raises(CommissionUnclear):
        rules.commission(typed)


@pytest.mark.parametrize(
    ("left", "step"), [(30, "30"), (29, "30"), (8, "30"), (7, "7"), (2, "7"), (1, "1"), (0, "1"), (-1, "over"), (-30, "over")]
)
def test_a_licence_is_spoken_of_in_steps(left: int, step: str) -> None:
    assert rules.reminder(left) == step


def test_a_paper_is_valid_through_its_last_day() -> None:
    rules.check_end(PaperKind.FOOD_PERMIT, TODAY, TODAY)
    rules.check_end(PaperKind.BUSINESS_LICENCE, None, TODAY)
    with pytest.raises(EndMissing):
        rules.check_end(PaperKind.FOOD_PERMIT, None, TODAY)
    with pytest.raises(PaperExpired):
        rules.check_end(PaperKind.BUSINESS_LICENCE, TODAY - timedelta(days=1), TODAY)


@pytest.mark.parametrize(("size", "pieces"), [(1, 1), (scans.SLICE, 1), (scans.SLICE + 1, 2), (3 * scans.SLICE, 3)])
def test_a_paper_is_cut_and_put_together(size: int, pieces: int) -> None:
    content = bytes(number % 251 for number in range(size))
    cut = list(scans.slices(content))
    assert len(cut) == pieces
    assert scans.joined(cut) == content


def test_a_photo_is_made_smaller_and_a_pdf_stays() -> None:
    scan = scans.read(photo(3_000, 2_000))
    assert scan.content_type == "image/jpeg"
    assert b"Exif" not in scan.content
    assert scans.read(b"%PDF-1.7 x").content == b"%PDF-1.7 x"


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (b"", PaperMissing),
        (b"GIF89a", PaperUnreadable),
        (b"\xff\xd8\xff broken", PaperUnreadable),
        (b"%PDF-" + b"x" * scans.MOST_PDF, PaperTooLarge),
    ],
)
def test_what_is_no_paper_is_refused(content: bytes, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        scans.read(content)
