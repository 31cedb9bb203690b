"""How single characters are said, for a search that found nothing by its characters.

`pypinyin` as a whole takes 58 MB in every process, most of it phrases. They matter where names are written into the index, once; what
somebody typed is short and is said character by character, from the library's table of characters alone: 22 ms once and 3 MB.
"""

from __future__ import annotations

import json
import sys
import unicodedata
from functools import cache
from importlib.util import find_spec
from pathlib import Path

FIRST, LAST = 0x4E00, 0x9FFF
MOST_READINGS = 4


@cache
def readings() -> dict[str, str]:
    """The first reading of every usual character, with its tone mark."""
    return {character: sys.intern(said.partition(",")[0]) for character, said in all_readings().items()}


@cache
def all_readings() -> dict[str, str]:
    """All readings of every usual character, the first one first, with commas between them."""
    found = find_spec("pypinyin")
    folder = next(iter(found.submodule_search_locations or ()), "") if found else ""
    table: dict[str, str] = json.loads((Path(folder) / "pinyin_dict.json").read_text(encoding="utf-8"))
    usual = ((int(point), said) for point, said in table.items())
    return {chr(point): sys.intern(said) for point, said in usual if FIRST <= point <= LAST}


def said(run: str) -> str:
    """A run of Han characters as it is said, with tone marks and without spaces; empty where a character is not known."""
    known = readings()
    heard = [known.get(character, "") for character in run]
    return "".join(heard) if all(heard) else ""


def every(run: str) -> tuple[tuple[str, ...], ...]:
    """All readings of each character of a run, without tone marks, ü as `v`; empty where a character is not known."""
    known = all_readings()
    heard = tuple(tuple(dict.fromkeys(map(without_tone, known.get(character, "").split(","))))[:MOST_READINGS] for character in run)
    return heard if all(map(all, heard)) else ()


def without_tone(syllable: str) -> str:
    apart = unicodedata.normalize("NFD", syllable).replace("u\u0308", "v")
    return "".join(letter for letter in apart if unicodedata.category(letter) != "Mn")


def initial(character: str) -> str:
    """The letter that the sound of a character begins with, without its tone mark; a question mark where it is not known."""
    return unicodedata.normalize("NFD", readings().get(character, "?"))[0]
