"""The Chinese catalogue: one PO file per area in `shop/translations/zh/`, joined into one compiled catalogue."""

from __future__ import annotations

from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

TRANSLATIONS = Path(__file__).resolve().parent.parent / "translations"
COMPILED = TRANSLATIONS / "zh" / "LC_MESSAGES" / "messages.mo"


def areas() -> list[Path]:
    return sorted((TRANSLATIONS / "zh").glob("*.po"))


def compile_catalogue() -> int:
    """Join the areas and compile them; the number of messages. The same English sentence must mean one thing everywhere."""
    joined = Catalog(locale="zh")
    for area in areas():
        with area.open("rb") as file:
            for message in read_po(file, locale="zh", abort_invalid=True):
                if message.id:
                    known = joined.get(message.id, message.context)
                    if known is not None and known.string != message.string:
                        raise ValueError(f"{area.name}: {message.id!r} is {known.string!r} elsewhere, {message.string!r} here")
                    joined.add(message.id, message.string, context=message.context)
    COMPILED.parent.mkdir(exist_ok=True)
    waiting = COMPILED.with_suffix(".new")
    with waiting.open("wb") as file:
        write_mo(file, joined)
    waiting.replace(COMPILED)
    return len(joined)


def is_stale() -> bool:
    """Whether an area was written after the catalogue was compiled."""
    return not COMPILED.exists() or any(area.stat().st_mtime > COMPILED.stat().st_mtime for area in areas())
