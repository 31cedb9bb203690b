"""What people show at the counter: six digits, the end of their phone number, or a QR code with a signed reference.

Labels of parcels and crates are scanned there too; they are told apart here, and open nothing by themselves.

A QR code says `L1.<reference>.<expiry>.<mac>` in capitals and figures, which makes it small and quick to scan. Its MAC is made with a
key of this one purpose, so a QR code cannot be invented; whether its pass is still good is asked of the pass itself.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum

from shop.kernel import ids, keys

VERSION = "L1"
PURPOSE = "pickup_pass"
SHOWN_FOR = timedelta(hours=24)
MOST_CHARACTERS = 200

REFERENCE = re.compile(r"V\d{6}-[2-9A-Z]{8}")
QR = re.compile(r"L1\.(V\d{6}-[2-9A-Z]{8})\.(\d{9,11})\.([0-9A-F]{32})")


PARCEL = re.compile(r"L\d{6}-[2-9A-Z]{8}-\d{1,3}")
CRATE = re.compile(r"T\d{6}-\d{4,15}")


class Kind(Enum):
    QR = "qr"
    FORGED = "forged"  # looks like a QR code of ours, and is not
    CODE = "code"
    REFERENCE = "reference"
    PHONE_TAIL = "phone_tail"
    PARCEL = "parcel"  # the number of an order, from the label on its parcel
    CRATE = "crate"  # the code of a delivery, from the label on its crates
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Shown:
    """What was scanned or typed. `value` is a reference, six digits, four digits, or what a label says; `expires_at` is a QR code's."""

    kind: Kind
    value: str = ""
    expires_at: datetime | None = None

    @property
    def is_guessable(self) -> bool:
        """Whether it is short enough to be tried at random: neither a QR code that verified, nor a reference, nor a label."""
        return self.kind not in {Kind.QR, Kind.REFERENCE, Kind.PARCEL, Kind.CRATE}

    @property
    def is_label(self) -> bool:
        """Whether it stands on goods, and so is not what a resident shows."""
        return self.kind in {Kind.PARCEL, Kind.CRATE}


def qr_text(reference: str, valid_until: datetime, moment: datetime) -> str:
    """The text of a pass's QR code. Good for a day, at most as long as the pass; the same text for up to an hour."""
    on_the_hour = (moment + SHOWN_FOR).replace(minute=0, second=0, microsecond=0)
    expiry = int(min(valid_until, on_the_hour).timestamp())
    return f"{VERSION}.{reference}.{expiry}.{mac(reference, expiry)}"


def mac(reference: str, expiry: int) -> str:
    """128 bits under the key of this purpose."""
    return keys.fingerprint(PURPOSE, f"{VERSION}.{reference}.{expiry}")[:32].upper()


def understand(text: str) -> Shown:
    """Say what was scanned or typed; full-width figures, spaces and hyphens between figures do not matter."""
    if len(text) > MOST_CHARACTERS:
        return Shown(Kind.OTHER)
    plain = unicodedata.normalize("NFKC", text).strip().upper()
    if found := QR.fullmatch(plain):
        reference, expiry, seal = found[1], int(found[2]), found[3]
        if not ids.matches(mac(reference, expiry), seal):
            return Shown(Kind.FORGED, reference)
        return Shown(Kind.QR, reference, datetime.fromtimestamp(expiry, UTC))
    if plain.startswith(f"{VERSION}."):
        return Shown(Kind.FORGED)
    if REFERENCE.fullmatch(plain):
        return Shown(Kind.REFERENCE, plain)
    for kind, spelling in ((Kind.PARCEL, PARCEL), (Kind.CRATE, CRATE)):
        if spelling.fullmatch(plain):
            return Shown(kind, plain)
    figures = re.sub(r"[\s\-]", "", plain)
    if figures.isascii() and figures.isdigit() and len(figures) in {4, 6}:
        return Shown(Kind.CODE if len(figures) == 6 else Kind.PHONE_TAIL, figures)
    return Shown(Kind.OTHER)
