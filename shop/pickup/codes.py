"""What people show at the counter: six digits, the end of their phone number, or a QR code with a signed reference.

Labels of parcels and crates are scanned there too, and people say the number of their order or of their phone; they are told apart
here, and open nothing by themselves.

A QR code says `L1.<reference>.<expiry>.<mac>` in capitals and figures, which makes it small and quick to scan. Its MAC is made with a
key of this one purpose, so a QR code cannot be invented; whether its pass is still good is asked of the pass itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum

from shop.kernel import identifiers, ids, keys

VERSION = "L1"
PURPOSE = "pickup_pass"
SHOWN_FOR = timedelta(hours=24)

REFERENCE = re.compile(r"V[0-9]{6}-[2-9A-Z]{8}")
QR = re.compile(r"L1\.(V[0-9]{6}-[2-9A-Z]{8})\.([0-9]{9,11})\.([0-9A-F]{32})")

QR_TEXT = re.compile(r"L1\.V[0-9]{6}-[2-9A-Z]{8}\.[0-9]{9,11}\.[0-9A-F]{32}")

PARCEL = re.compile(r"L[0-9]{6}-[2-9A-Z]{8}-[0-9]{1,3}")
CRATE = re.compile(r"T[0-9]{6}-[0-9]{4,15}")
ORDER = re.compile(r"L[0-9]{6}-[2-9A-Z]{8}")
SHORT = re.compile(rf"([{ids.READABLE}]{{8}})(?:-?([0-9]{{1,3}}))?")


SIX_FIGURES = re.compile(r"(?<![0-9A-Z.-])[0-9]{3}[ -]?[0-9]{3}(?![0-9A-Z-])")
IN_A_TEXT = re.compile(r"(?<![0-9A-Z-])L[0-9]{6}-[2-9A-Z]{8}(?:-[0-9]{1,3})?(?![0-9A-Z-])")


class Kind(Enum):
    QR = "qr"
    FORGED = "forged"  # looks like a QR code of ours, and is not
    CODE = "code"
    REFERENCE = "reference"
    PHONE_TAIL = "phone_tail"
    PARCEL = "parcel"  # the number of an order, from the label on its parcel
    CRATE = "crate"  # the code of a delivery, from the label on its crates
    ORDER = "order"  # the number of a whole order, from the buyer's page
    SHORT = "short"  # what stands large on the label of a parcel
    PHONE = "phone"  # a whole phone number
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Shown:
    """What was scanned or typed. `value` is a reference, six digits, four digits, a phone number, or what a label or a page says;
    `expires_at` is a QR code's."""

    kind: Kind
    value: str = ""
    expires_at: datetime | None = None

    @property
    def is_guessable(self) -> bool:
        """Whether it could be found by trying: six figures only. A reference has 39 bits, a QR code 128, and the rest opens nothing."""
        return self.kind is Kind.CODE

    @property
    def is_label(self) -> bool:
        """Whether it names goods, as labels and the pages of an order do, and so is not what a resident shows."""
        return self.kind in {Kind.PARCEL, Kind.CRATE, Kind.ORDER, Kind.SHORT}

    @property
    def is_no_pass(self) -> bool:
        """Whether it says which goods or which person, or nothing that we know, and opens nothing by itself."""
        return self.is_label or self.kind in {Kind.PHONE, Kind.PHONE_TAIL, Kind.OTHER}


def qr_text(reference: str, valid_until: datetime, moment: datetime) -> str:
    """The text of a pass's QR code. Good for a day, at most as long as the pass; the same text for up to an hour."""
    on_the_hour = (moment + SHOWN_FOR).replace(minute=0, second=0, microsecond=0)
    expiry = int(min(valid_until, on_the_hour).timestamp())
    return f"{VERSION}.{reference}.{expiry}.{mac(reference, expiry)}"


def mac(reference: str, expiry: int) -> str:
    """128 bits under the key of this purpose."""
    return keys.fingerprint(PURPOSE, f"{VERSION}.{reference}.{expiry}")[:32].upper()


def understand(text: str) -> Shown:
    """Say what was scanned or typed, however a keyboard or an input method wrote it (`identifiers.scanned`)."""
    plain = identifiers.scanned(text)
    if found := QR.fullmatch(plain):
        reference, expiry, seal = found[1], int(found[2]), found[3]
        if not ids.matches(mac(reference, expiry), seal):
            return Shown(Kind.FORGED, reference)
        return Shown(Kind.QR, reference, datetime.fromtimestamp(expiry, UTC))
    if plain.startswith(f"{VERSION}."):
        return Shown(Kind.FORGED)
    number = plain.removeprefix("#")
    for kind, spelling in ((Kind.REFERENCE, REFERENCE), (Kind.PARCEL, PARCEL), (Kind.CRATE, CRATE), (Kind.ORDER, ORDER)):
        if spelling.fullmatch(number):
            return Shown(kind, number)
    figures = identifiers.figures(text)
    if figures.isascii() and figures.isdigit() and len(figures) in {4, 6}:
        return Shown(Kind.CODE if len(figures) == 6 else Kind.PHONE_TAIL, figures)
    if identifiers.is_phone(text):
        return Shown(Kind.PHONE, identifiers.phone_number(text))
    if short := SHORT.fullmatch(number):
        return Shown(Kind.SHORT, f"{short[1]}-{short[2]}" if short[2] else short[1])
    return _in_a_text(text)


def _in_a_text(text: str) -> Shown:
    """What a whole message means that was pasted: the one code in it, else the one order it names. Two of a kind mean neither."""
    if len(text) > identifiers.MOST_CHARACTERS:
        return Shown(Kind.OTHER)
    plain = identifiers.in_line(text).upper()
    if len(found := set(QR_TEXT.findall(plain))) == 1:
        return understand(found.pop())
    orders = set(IN_A_TEXT.findall(plain))
    without = IN_A_TEXT.sub(" ", plain)
    if len(found := {identifiers.figures(code) for code in SIX_FIGURES.findall(without)}) == 1:
        return Shown(Kind.CODE, found.pop())
    return understand(orders.pop()) if len(orders) == 1 and not found else Shown(Kind.OTHER)


def order_meant(text: str) -> str:
    """The number of an order, of a part of one, or the short code of either, as people type it; empty when it is none of these."""
    shown = understand(text)
    return shown.value if shown.kind in {Kind.PARCEL, Kind.ORDER, Kind.SHORT} else ""
