"""QR texts: signed, of one purpose, short-lived, and nothing else is taken for one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from shop.kernel import keys
from shop.pickup import codes
from shop.pickup.codes import Kind

pytestmark = pytest.mark.one_engine

NOW = datetime(2026, 6, 8, 8, 20, tzinfo=UTC)
LATER = NOW + timedelta(days=3)
REFERENCE = "V260608-7K3M9QXA"


@pytest.fixture(autouse=True)
def _secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "_secret", "for this test only")


def test_a_qr_text_is_understood_with_its_expiry() -> None:
    shown = codes.understand(codes.qr_text(REFERENCE, LATER, NOW))
    assert (shown.kind, shown.value) == (Kind.QR, REFERENCE)
    assert shown.expires_at == datetime(2026, 6, 9, 8, 0, tzinfo=UTC)
    assert not shown.is_guessable


@pytest.mark.parametrize(("stop", "wide"), [("。", False), ("，", False), ("．", True), ("｡", True), ("、", False), (" . ", False)])
def test_an_input_method_between_the_scanner_and_the_field_changes_nothing(stop: str, wide: bool) -> None:
    text = codes.qr_text(REFERENCE, LATER, NOW).replace(".", stop)
    if wide:
        text = text.translate({code: code + 0xFEE0 for code in range(0x21, 0x7F)})
    shown = codes.understand(text)
    assert (shown.kind, shown.value) == (Kind.QR, REFERENCE)
    assert codes.understand(text[:-1] + ("0" if text[-1] not in "0０" else "1")).kind is Kind.FORGED


def test_it_never_lives_longer_than_the_pass() -> None:
    soon = NOW + timedelta(hours=2)
    assert codes.understand(codes.qr_text(REFERENCE, soon, NOW)).expires_at == soon


def test_it_stays_the_same_for_the_rest_of_the_hour() -> None:
    assert codes.qr_text(REFERENCE, LATER, NOW) == codes.qr_text(REFERENCE, LATER, NOW + timedelta(minutes=39))
    assert codes.qr_text(REFERENCE, LATER, NOW) != codes.qr_text(REFERENCE, LATER, NOW + timedelta(minutes=40))


def test_every_changed_character_is_a_forgery_or_no_code_at_all() -> None:
    text = codes.qr_text(REFERENCE, LATER, NOW)
    for place in range(len(text)):
        changed = text[:place] + ("7" if text[place] != "7" else "8") + text[place + 1 :]
        assert codes.understand(changed).kind in {Kind.FORGED, Kind.OTHER}


def test_another_secret_signs_another_text(monkeypatch: pytest.MonkeyPatch) -> None:
    text = codes.qr_text(REFERENCE, LATER, NOW)
    monkeypatch.setattr(keys, "_secret", "of another shop")
    assert codes.understand(text).kind is Kind.FORGED


def test_the_key_is_of_this_purpose_only() -> None:
    expiry = int(LATER.timestamp())
    elsewhere = keys.fingerprint("wallet_pin", f"L1.{REFERENCE}.{expiry}")[:32].upper()
    assert codes.understand(f"L1.{REFERENCE}.{expiry}.{elsewhere}").kind is Kind.FORGED


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("482193", Kind.CODE, "482193"),
        (" 482 193 ", Kind.CODE, "482193"),
        ("482-193", Kind.CODE, "482193"),
        ("４８２１９３", Kind.CODE, "482193"),
        ("0107", Kind.PHONE_TAIL, "0107"),
        ("v260608-7k3m9qxa", Kind.REFERENCE, REFERENCE),
        ("l260608-7k3m9qxa-2", Kind.PARCEL, "L260608-7K3M9QXA-2"),
        ("T260608-0012", Kind.CRATE, "T260608-0012"),
        ("L260608-7K3M9QXA", Kind.ORDER, "L260608-7K3M9QXA"),
        ("#l260608\u20117k3m9qxa", Kind.ORDER, "L260608-7K3M9QXA"),
        ("Ｌ260608－7K3M9QXA－2", Kind.PARCEL, "L260608-7K3M9QXA-2"),
        ("7K3M9QXA-2", Kind.SHORT, "7K3M9QXA-2"),
        ("7k3m9qxa 2", Kind.SHORT, "7K3M9QXA-2"),
        ("7k3m9qxa", Kind.SHORT, "7K3M9QXA"),
        ("7K3M9QX0", Kind.OTHER, ""),
        ("138 0000 0107", Kind.PHONE, "13800000107"),
        ("+86 138-0000-0107", Kind.PHONE, "13800000107"),
        ("8613800000107", Kind.PHONE, "13800000107"),
        ("\u202d138 0000 0107\u202c", Kind.PHONE, "13800000107"),
        ("\u200b482193\u200b", Kind.CODE, "482193"),
        ("V260608—7K3M9QXA", Kind.REFERENCE, REFERENCE),
        ("48219", Kind.OTHER, ""),
        ("", Kind.OTHER, ""),
        ("L1.rubbish", Kind.FORGED, ""),
        ("9" * 5_000, Kind.OTHER, ""),
        ("四八二一九三", Kind.OTHER, ""),
        ("٤٨٢١٩٣", Kind.OTHER, ""),
        ("【邻里】您的商品已到万晟城驿站（2单，2家店）。取货码 482 193，6月11日20:00前有效。", Kind.CODE, "482193"),
        ("[Linli] Your goods are at Wansheng (orders: 2, shops: 2). Pick-up code 482 193, until 11 Jun 20:00.", Kind.CODE, "482193"),
        ("取货码：482193", Kind.CODE, "482193"),
        ("订单 L260608-7K3M9QXA 已送达，取货码 482193。", Kind.CODE, "482193"),
        ("我的订单是 L260608-7K3M9QXA 谢谢", Kind.ORDER, "L260608-7K3M9QXA"),
        ("订单#L260608-7K3M9QXA-2，请查收", Kind.PARCEL, "L260608-7K3M9QXA-2"),
        ("482193 or 482194", Kind.OTHER, ""),
        ("6901234567892", Kind.OTHER, ""),
        ("690 123 456 789 2", Kind.OTHER, ""),
        ("电话 13800000107", Kind.OTHER, ""),
    ],
)
def test_what_is_typed_is_told_apart(text: str, kind: Kind, value: str) -> None:
    shown = codes.understand(text)
    assert (shown.kind, shown.value) == (kind, value)
    assert shown.is_guessable is (kind is Kind.CODE), "nothing else can be found by trying"


def test_a_qr_text_within_a_message_is_the_pass() -> None:
    text = codes.qr_text(REFERENCE, LATER, NOW)
    shown = codes.understand(f"给张阿姨的码： {text} 谢谢")
    assert (shown.kind, shown.value) == (Kind.QR, REFERENCE)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("l260608-7k3m9qxa", "L260608-7K3M9QXA"), ("#L260608—7K3M9QXA-12", "L260608-7K3M9QXA-12"), ("7k3m9qxa-2", "7K3M9QXA-2"),
        ("482193", ""), ("张", ""), ("", ""),
    ],
)  # fmt: skip
def test_an_order_is_meant_or_it_is_not(text: str, number: str) -> None:
    assert codes.order_meant(text) == number
