"""What a backup says about itself: the last part of it, so that a file that was cut short has none."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from shop.cli.backup.errors import BrokenBackup

FORMAT = 1
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Part:
    """One file inside of a backup."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """Where a backup comes from, what it holds, and what somebody needs to read it."""

    ref: str  # of this backup alone
    made_at: datetime  # everything committed before this moment is inside
    engine: str  # "sqlite" or "postgresql"
    engine_version: str
    schema: str  # the newest migration it has
    app_version: str
    counts: dict[str, int]  # rows by table
    key_marks: dict[str, str]  # fingerprints by which the right keys are known; they tell nothing about the keys
    data_key_versions: list[str]  # under which versions of DATA_KEYS there are values
    parts: list[Part]

    def written(self) -> bytes:
        document = {"format": FORMAT, **asdict(self), "made_at": told(self.made_at)}
        return json.dumps(document, ensure_ascii=False, indent=1).encode()


def told(moment: datetime) -> int:
    """A moment as whole microseconds since 1970."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def moment_of(told: int) -> datetime:
    """The moment that was told so. Raises `TypeError`, `ValueError`."""
    try:
        return EPOCH + timedelta(microseconds=told)
    except OverflowError as error:
        raise ValueError("no moment") from error


def read(raw: bytes) -> Manifest:
    """Raises `BrokenBackup` for anything but a manifest of a format we know."""
    try:
        document: dict[str, Any] = json.loads(raw)
        if document.pop("format") != FORMAT:
            raise BrokenBackup("the backup was written by a newer version of the shop")
        parts = [Part(**part) for part in document.pop("parts")]
        return Manifest(**{**document, "made_at": moment_of(document["made_at"]), "parts": parts})
    except (KeyError, TypeError, ValueError) as error:
        raise BrokenBackup("the manifest of the backup cannot be read") from error
