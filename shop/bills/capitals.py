"""Amounts in the capital numerals of Chinese vouchers, which nobody turns into others with a stroke of the pen.

docs/algorithms/bill-payment.md has the rules and the worked figures.
"""

from __future__ import annotations

from shop.kernel.money import Money

DIGITS = "零壹贰叁肆伍陆柒捌玖"
PLACES = ("", "拾", "佰", "仟")
GROUPS = ("", "万", "亿", "万亿")
LARGEST = Money(10**18 - 1)


def in_capitals(amount: Money) -> str:
    """`1284.05` as 壹仟贰佰捌拾肆元零伍分. Raises ValueError below zero and from 10,000 trillion yuan."""
    if amount.fen < 0 or amount > LARGEST:
        raise ValueError(f"no voucher is written over {amount}")
    yuan, fen = divmod(amount.fen, 100)
    tenths, hundredths = divmod(fen, 10)
    text = f"{whole(yuan)}元" if yuan else ""
    if not fen:
        return (text or "零元") + "整"
    # A zero stands where a place is skipped, also the one between whole yuan that end in zero and the first jiao.
    if tenths:
        text += ("零" if yuan and yuan % 10 == 0 else "") + DIGITS[tenths] + "角"
    elif yuan:
        text += "零"
    return text + (DIGITS[hundredths] + "分" if hundredths else "整")


def whole(number: int) -> str:
    """A whole number above zero, in groups of four places."""
    text, skipped = "", False
    for power in reversed(range(len(GROUPS))):
        group = number // 10 ** (4 * power) % 10_000
        if not group:
            skipped = bool(text)
            continue
        if text and (skipped or group < 1_000):
            text += "零"
        text += thousands(group) + GROUPS[power]
        skipped = False
    return text


def thousands(group: int) -> str:
    """One to 9999."""
    text, skipped = "", False
    for place in reversed(range(4)):
        digit = group // 10**place % 10
        if not digit:
            skipped = bool(text)
            continue
        text += ("零" if skipped else "") + DIGITS[digit] + PLACES[place]
        skipped = False
    return text
