"""Numbers as people read them out, names as others may see them, and long texts where there is little room."""

from __future__ import annotations

import pytest

from shop.kernel.text import UnreadableText, clean, clipped, mask_holder, mask_person, spaced_phone


@pytest.mark.parametrize(
    ("number", "read"),
    [("13800138000", "138 0013 8000"), ("08322000001", "0832-2000001"), ("12315", "12315"), ("400-820-8820", "400-820-8820")],
)
def test_a_telephone_number_is_written_as_it_is_said(number: str, read: str) -> None:
    assert spaced_phone(number) == read


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("张三", "张*"), ("王小明", "王**"), ("欧阳娜娜", "欧***"), ("阿依古丽·买买提", "阿***·***"),
        ("古丽米热·阿卜杜热合曼", "古***·***"), ("䶮", "䶮"), ("𬱖小花", "𬱖**"), ("Wang Xiaoming", "W*** ***"), (" 李 ", "李"), ("", ""),
    ],
)  # fmt: skip
def test_others_see_the_first_character_of_a_name(name: str, shown: str) -> None:
    assert mask_person(name) == shown


@pytest.mark.parametrize(("holder", "shown"), [("张三", "*三"), ("刘丽华", "*丽华"), ("", "")])
def test_a_holder_is_shown_as_billers_print_it(holder: str, shown: str) -> None:
    assert mask_holder(holder) == shown


@pytest.mark.parametrize(
    ("text", "limit", "shown"),
    [
        ("", 5, ""), ("五个字正好", 5, "五个字正好"), ("六个字太多了", 5, "六个字太…"), (" a\n  b\tc ", 9, "a b c"),
        ("sweet and sour", 11, "sweet and…"), ("one, two three", 6, "one…"), ("incomprehensibilities " * 2, 30, "incomprehensibilities…"),
        ("甜，" * 5, 4, "甜，甜…"), ("a 十六个字以上的中文不因前面有一个空格而全部丢失", 20, "a 十六个字以上的中文不因前面有一个空…"),
    ],
)  # fmt: skip
def test_a_long_text_ends_where_a_word_does_and_says_so(text: str, limit: int, shown: str) -> None:
    assert clipped(text, limit) == shown
    assert len(shown) <= limit


def test_lines_are_kept_where_they_are_asked_for_however_a_browser_ends_them() -> None:
    assert clean("one\r\ntwo\rthree\n", 13, multiline=True) == "one\ntwo\nthree"
    with pytest.raises(UnreadableText):
        clean("one\r\ntwo", 20)
