"""The pure rules of accounts: ways back, devices, codes."""

from __future__ import annotations

import pytest

from shop.accounts import rules
from shop.kernel import keys
from shop.models.accounts import Role

pytestmark = pytest.mark.one_engine


@pytest.fixture(autouse=True)
def _secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "_secret", "tests only")


@pytest.mark.parametrize("target", ["/", "/cart", "/products/x?q=1&b=2#top", "/search?q=%E8%A1%80%E6%A9%99", "/a//b"])
def test_a_path_of_ours_is_a_way_back(target: str) -> None:
    assert rules.local_path(target) == target


@pytest.mark.parametrize(
    "target",
    [
        None, "", "cart", "//evil.example", "///evil.example", "/\\evil.example", "\\/evil.example", "/a\\..\\b", "https:evil.example",
        "https://evil.example/", "javascript:alert(1)", "/\r\nSet-Cookie: a=b", "/a\tb", "/\x00", " /cart", "/" + "a" * 2_000, "/‮",
    ],
)
def test_everything_else_leads_home(target: str | None) -> None:
    assert rules.local_path(target) == "/"


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/116.0 Safari/537.36 MicroMessenger/8.0.49", "WeChat, Android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Safari/604.1", "Safari, iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36 Edg/126.0", "Edge, Windows"),
        ("curl/8.5.0", ""),
        ("", ""),
    ],
)
def test_a_device_is_named_so_that_its_owner_knows_it(agent: str, name: str) -> None:
    assert rules.device_name(agent) == name


def test_a_code_is_made_again_from_its_row_and_differs_from_row_to_row() -> None:
    one = rules.code_digits(1, "nonce")
    assert one == rules.code_digits(1, "nonce")
    assert len(one) == 6
    assert one.isdigit()
    assert len({rules.code_digits(1, f"nonce {number}") for number in range(100)}) > 95


def test_another_secret_makes_another_code(monkeypatch: pytest.MonkeyPatch) -> None:
    one = rules.code_digits(1, "nonce")
    monkeypatch.setattr(keys, "_secret", "another")
    assert rules.code_digits(1, "nonce") != one


@pytest.mark.parametrize(
    ("role", "merchant", "point", "is_right"),
    [
        (Role.MERCHANT_OWNER, 1, None, True), (Role.MERCHANT_CLERK, None, None, False), (Role.MERCHANT_OWNER, 1, 2, False),
        (Role.KEEPER, None, 2, True), (Role.KEEPER, 1, None, False), (Role.OPERATOR, None, None, True), (Role.AUDITOR, None, 2, False),
    ],
)
def test_a_role_is_granted_where_it_belongs(role: Role, merchant: int | None, point: int | None, is_right: bool) -> None:
    assert rules.is_place_right(role, merchant, point) is is_right
