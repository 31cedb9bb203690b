"""Amounts: checked on the way in, shown to people."""

from __future__ import annotations

from simulators.stripe.errors import ApiError, invalid

SYMBOLS = {"cny": "¥", "usd": "$", "hkd": "HK$", "eur": "€", "gbp": "£", "sgd": "S$", "aud": "A$", "cad": "CA$", "jpy": "JP¥"}
WITHOUT_DECIMALS = ("jpy",)
LARGEST = 99_999_999


def shown(amount: int, currency: str) -> str:
    """An amount of the smallest unit as people write it, such as ¥12.30."""
    symbol = SYMBOLS.get(currency, f"{currency.upper()} ")
    if not decimals(currency):
        return f"{symbol}{amount:,}"
    return f"{symbol}{amount // 100:,}.{amount % 100:02d}"


def decimals(currency: str) -> int:
    """How many decimals the smallest unit of a currency has."""
    return 0 if currency in WITHOUT_DECIMALS else 2


def known_currency(currency: str, param: str = "currency") -> str:
    """The currency in lower case. Raises a 400 for one the simulated account does not take."""
    lower = currency.lower()
    if lower not in SYMBOLS:
        raise invalid(f"Invalid currency: {currency}. Stripe currently supports these currencies: {', '.join(SYMBOLS)}", param=param)
    return lower


def check_amount(amount: int, currency: str, minimum: int, param: str = "amount") -> None:
    """Stripe's limits: not below what converts to 50 cents (`minimum_amount`), not above eight digits."""
    if amount < 1:
        raise invalid("This value must be greater than or equal to 1.", param=param, code="parameter_invalid_integer")
    if amount > LARGEST:
        raise _out_of_range(f"Amount must be no more than {shown(LARGEST, currency)}", param, "amount_too_large")
    if amount < minimum:
        raise _out_of_range(f"Amount must be at least {shown(minimum, currency)} {currency}", param, "amount_too_small")


def _out_of_range(message: str, param: str, code: str) -> ApiError:
    return invalid(message, param=param, code=code)
