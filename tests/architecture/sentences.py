"""Which sentences people may read, and whether the Chinese catalogue says them."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import extract

from tests.architecture.syntax import ROOT

KEYWORDS: dict[str, Any] = {"_": None, "gettext": None, "lazy_gettext": None, "ngettext": (1, 2), "sentence": None, "words": None}
TEMPLATE_OPTIONS = {"trimmed": "true", "silent": "false", "extensions": "jinja2.ext.do,shop.platform.parts.KeptPart"}
PLACES = re.compile(r"%\((\w+)\)[a-z]")
HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")


Said = tuple[str | tuple[str, ...], str]


def said_in(method: str, source: bytes, place: str) -> Iterator[Said]:
    """Each msgid (singular and plural as a pair) with where it stands. `method` is "python" or "jinja2.ext:babel_extract"."""
    options = TEMPLATE_OPTIONS if "jinja" in method else {}
    for line, message, _comments, _context in extract(method, io.BytesIO(source), keywords=KEYWORDS, options=options):
        if message:
            yield message, f"{place}:{line}"


@cache
def said_in_the_shop() -> tuple[Said, ...]:
    """Every msgid of code and templates, with where it stands."""
    found: list[Said] = []
    for method, pattern in (("python", "**/*.py"), ("jinja2.ext:babel_extract", "templates/**/*.*")):
        for place in sorted((ROOT / "shop").glob(pattern)):
            if place.is_file():
                found += said_in(method, place.read_bytes(), str(place.relative_to(ROOT)))
    return tuple(found)


def untranslated(said: Iterable[Said], catalogue: Catalog) -> str:
    """All sentences without Chinese words, with stubs to paste; empty when there is none. What is counted needs a counted translation."""
    missing: dict[str | tuple[str, ...], str] = {}
    for text, place in said:
        known = catalogue.get(text if isinstance(text, str) else text[0])
        words = () if known is None else (known.string,) if isinstance(known.string, str) else tuple(known.string)
        is_counted_alike = known is None or isinstance(text, str) or known.id == text
        if not words or not all(words) or not is_counted_alike:
            missing.setdefault(text, place)
    if not missing:
        return ""
    stubs = "\n".join(stub(text, place) for text, place in missing.items())
    return f"{len(missing)} without Chinese words. Fill these in and put them into shop/translations/zh/<area>.po:\n\n{stubs}"


def stub(text: str | tuple[str, ...], place: str) -> str:
    """An entry of a PO file that waits for its words."""
    if isinstance(text, str):
        return f"# {place}\nmsgid {quoted(text)}\nmsgstr \"\"\n"
    return f"# {place}\nmsgid {quoted(text[0])}\nmsgid_plural {quoted(text[1])}\nmsgstr[0] \"\"\n"


def quoted(text: str) -> str:
    """A text as PO files write it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def lost_places(catalogue: Catalog) -> list[str]:
    """Translations that lose one of the facts of their sentence, or invent one."""
    wrong = []
    for message in catalogue:
        if not message.id or not message.string:
            continue
        said = set(PLACES.findall(message.id if isinstance(message.id, str) else message.id[-1]))
        translated = set(PLACES.findall(message.string if isinstance(message.string, str) else message.string[-1]))
        if said != translated:
            wrong.append(f"{message.id!r} names {sorted(said)}, its translation {sorted(translated)}")
    return wrong


def chinese_in(templates: Mapping[str, str]) -> list[str]:
    """Lines of templates with Chinese characters in them: they belong into the catalogue."""
    return [
        f"{place}:{number} has Chinese characters: {line.strip()[:60]}"
        for place, source in templates.items()
        for number, line in enumerate(source.splitlines(), start=1)
        if HAN.search(line)
    ]


def templates() -> dict[str, str]:
    """Every template by its name."""
    folder = ROOT / "shop" / "templates"
    return {str(place.relative_to(folder)): place.read_text(encoding="utf-8") for place in sorted(folder.rglob("*")) if place.is_file()}


def unreadable_catalogues(folder: Path) -> list[str]:
    """PO files that cannot be read as such, or with sentences left empty or marked as guesses."""
    from babel.messages.pofile import PoFileError, read_po

    wrong = []
    for area in sorted(folder.glob("*.po")):
        try:
            catalogue = read_po(io.BytesIO(area.read_bytes()), locale="zh", abort_invalid=True)
        except (PoFileError, UnicodeDecodeError) as error:
            wrong.append(f"{area.name}: {error}")
            continue
        unfinished = [message.id for message in catalogue if message.id and (not message.string or message.fuzzy)]
        wrong += [f"{area.name}: {text!r} is empty or a guess" for text in unfinished]
    return wrong


INLINE = re.compile(r"<script(?![^>]*\bsrc=)[^>]*>|<style\b|\sstyle=[\"']|\son[a-z]+=[\"']|href=[\"']javascript:", re.IGNORECASE)
ALLOWED_SCRIPTS = re.compile(r'<script[^>]*\btype="(application/json|application/ld\+json)"', re.IGNORECASE)


def inline_code(sources: Mapping[str, str]) -> list[str]:
    """Script and style inside pages, which the content security policy forbids."""
    return [
        f"{place}: {found[0].strip()}"
        for place, source in sources.items()
        for found in INLINE.finditer(source)
        if not ALLOWED_SCRIPTS.match(found[0])
    ]
