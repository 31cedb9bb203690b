"""Numbers as people read them out, and names as others may see them."""

from __future__ import annotations

import pytest

from shop.kernel.text import mask_holder, mask_person, spaced_phone


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
