"""The Chinese catalogue: one PO file per area in `shop/translations/zh/`, joined into one compiled catalogue."""

from __future__ import annotations

import os
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

TRANSLATIONS = Path(__file__).resolve().parent.parent / "translations"
COMPILED = TRANSLATIONS / "zh" / "LC_MESSAGES" / "messages.mo"


def areas() -> list[Path]:
    return sorted((TRANSLATIONS / "zh").glob("*.po"))


def joined() -> tuple[Catalog, list[str]]:
    """All areas as one catalogue, and the sentences that two areas translate differently (the first one counts)."""
    catalogue, conflicts = Catalog(locale="zh"), []
    for area in areas():
        with area.open("rb") as file:
            for message in read_po(file, locale="zh", abort_invalid=True):
                if not message.id:
                    continue
                known = catalogue.get(message.id, message.context)
                if known is None:
                    catalogue.add(message.id, message.string, context=message.context)
                elif known.string != message.string:
                    conflicts.append(f"{area.name}: {message.id!r} is {known.string!r} elsewhere, {message.string!r} here")
    return catalogue, conflicts


def compile_catalogue() -> int:
    """Write the compiled catalogue; the number of sentences in it."""
    catalogue, _ = joined()
    COMPILED.parent.mkdir(exist_ok=True)
    waiting = COMPILED.with_suffix(f".{os.getpid()}")
    with waiting.open("wb") as file:
        write_mo(file, catalogue)
    waiting.replace(COMPILED)
    return len(catalogue)


def is_stale() -> bool:
    """Whether an area was written after the catalogue was compiled."""
    return not COMPILED.exists() or any(area.stat().st_mtime > COMPILED.stat().st_mtime for area in areas())
