"""Phones, codes and numbers as people paste, type and scan them."""

from __future__ import annotations

import pytest

from shop.kernel import identifiers
from shop.kernel.identifiers import InvalidPhone, phone_number

pytestmark = pytest.mark.one_engine


@pytest.mark.parametrize(
    "typed",
    [
        "13800000001", " 138 0000 0001 ", "138-0000-0001", "138\u20110000\u20110001", "138\u20130000\u20130001", "138—0000—0001",
        "138\u22120000\u22120001", "138.0000.0001", "138。0000。0001", "\u202d138 0000 0001\u202c", "138\u200b0000\u200b0001",
        "\ufeff13800000001", "138\u00a00000\u20090001", "138\u30000000\u30000001", "１３８００００００01", "+8613800000001",
        "＋８６ 138 0000 0001", "86 138 0000 0001", "8613800000001", "008613800000001", "0086-138-0000-0001", "(+86) 138 0000 0001",
        "（86）138 0000 0001", "138\ufe0f00000001",
    ],
)  # fmt: skip
def test_a_phone_number_is_read_however_it_was_pasted(typed: str) -> None:
    assert phone_number(typed) == "13800000001"


@pytest.mark.parametrize(
    "typed",
    [
        "", "1380000000", "138000000012", "12800000001", "23800000001", "8513800000001", "+1 380 000 0001", "13800000001x",
        "１３８", "٠١٣٨٠٠٠٠٠٠١", "13800000001 13800000002", "13800000001\x00", "138,0000,0001", "-" * 300, "1" * 100_000,
    ],
)  # fmt: skip
def test_what_is_no_phone_number_is_refused(typed: str) -> None:
    with pytest.raises(InvalidPhone):
        phone_number(typed)
    assert not identifiers.is_phone(typed)


@pytest.mark.parametrize(
    ("typed", "tail"),
    [("0001", "0001"), ("０００１", "0001"), ("尾号 0001", "0001"), ("+86 138 0000 0001", "13800000001"), ("", ""), ("9" * 30, "9" * 11)],
)
def test_the_end_of_a_phone_number_is_looked_for_without_the_country(typed: str, tail: str) -> None:
    assert identifiers.phone_tail(typed) == tail


@pytest.mark.parametrize("typed", ["482193", "482 193", "482-193", "４８２１９３", "482\u200b193", "\u202d482193\u202c", "482–193"])
def test_a_code_is_read_however_it_was_pasted(typed: str) -> None:
    assert identifiers.figures(typed) == "482193"


@pytest.mark.parametrize("typed", ["【482193】", "482 193。", "“482193”", "（482193），", "482193,", "\u3010482193\u3011\u3002"])
def test_marks_around_a_code_are_the_messages_and_not_the_codes(typed: str) -> None:
    assert identifiers.figures(typed) == "482193"


@pytest.mark.parametrize("typed", ["482,193", "48219E", "٤٨٢١٩٣", "482\x00193", "482.193"])
def test_what_is_no_figure_stays_to_be_refused(typed: str) -> None:
    assert identifiers.figures(typed) != "482193"


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("l260608-7k3m9qxa-2", "L260608-7K3M9QXA-2"), ("Ｌ260608－7K3M9QXA", "L260608-7K3M9QXA"), ("#L260608-7K3M9QXA", "L260608-7K3M9QXA"),
        (" L260608–7K3M9QXA ", "L260608-7K3M9QXA"), ("7K3M", "7K3M"),
    ],
)  # fmt: skip
def test_an_orders_number_is_read_as_it_is_printed(typed: str, number: str) -> None:
    assert identifiers.order_number(typed) == number


@pytest.mark.parametrize(
    ("typed", "sought"),
    [
        ("６９０１２３４５６７８９２", "6901234567892"), ("blood-orange-m\u200b", "blood-orange-m"), (" 血橙（大） ", "血橙（大）"),
        ("blood orange", "blood orange"), ("", ""),
    ],
)  # fmt: skip
def test_a_barcode_is_read_as_it_was_meant_and_words_stay_as_they_are(typed: str, sought: str) -> None:
    assert identifiers.code_or_words(typed) == sought


@pytest.mark.parametrize(
    ("typed", "pattern", "number"),
    [
        ("5110 0000 15", r"^\d{10}$", "5110000015"), ("5110-0000-15", r"^\d{10}$", "5110000015"),
        ("５１１０００００１５", r"^\d{10}$", "5110000015"),
        ("5110\u200b000015", r"^\d{10}$", "5110000015"), ("12–2–1201", r"^\d{1,2}-\d{1,2}-\d{3,4}$", "12-2-1201"),
        ("511000001x", r"^\d{10}$", None), ("5110,000015", r"^\d{10}$", None), ("1" * 5_000, r"^\d+$", None),
    ],
)  # fmt: skip
def test_an_account_number_is_read_in_the_form_of_its_biller(typed: str, pattern: str, number: str | None) -> None:
    assert identifiers.account_number(typed, pattern) == number
