"""Numbers as people read them out."""

from __future__ import annotations

import pytest

from shop.kernel.text import spaced_phone


@pytest.mark.parametrize(
    ("number", "read"),
    [("13800138000", "138 0013 8000"), ("08322000001", "0832-2000001"), ("12315", "12315"), ("400-820-8820", "400-820-8820")],
)
def test_a_telephone_number_is_written_as_it_is_said(number: str, read: str) -> None:
    assert spaced_phone(number) == read
