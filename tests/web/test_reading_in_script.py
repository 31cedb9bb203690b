"""What scripts make of typed figures before the server decides: the same as the server, for the same texts."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from shop.kernel import identifiers, quantities

# A machine without Node has the one that fetched the front-end files, beside this Python.
NODE = shutil.which("node") or shutil.which("node", path=str(Path(sys.executable).parent))
pytestmark = [pytest.mark.one_engine, pytest.mark.skipif(NODE is None, reason="scripts are run by Node")]

SCRIPTS = Path(__file__).resolve().parents[2] / "shop/static/js"
NO_PAGE = "const document = { querySelector: () => null, addEventListener() {} };"


def run(script: str, call: str, texts: list[str]) -> list[object]:
    """What a function of a script answers for each text, without a page."""
    source = (SCRIPTS / script).read_text(encoding="utf-8").replace("export function", "function")
    program = f"{NO_PAGE}\n{source}\nconsole.log(JSON.stringify({json.dumps(texts)}.map((text) => {call})));"
    done = subprocess.run([str(NODE), "--input-type=module", "-e", program], capture_output=True, text=True, check=True, timeout=60)
    answers: list[object] = json.loads(done.stdout)
    return answers


WEIGHTS = [
    "850", "８５０", "850 g", "0.85 kg", "0。85公斤", "1.7斤", "1斤7两", "1 斤 7 两", "1.7 JIN", "850克\u200b", "1,7", "1，7斤", "1,250",
    "1 7", "1.7两", "", "-5", "1.001", "1 250", "9" * 50,
]  # fmt: skip


@pytest.mark.parametrize("unit", ["g", "jin", "kg"])
def test_a_weight_is_the_same_while_it_is_typed_and_when_it_is_sent(unit: str) -> None:
    assert run("weigh.js", f"gramsOf(text, '{unit}')", WEIGHTS) == [quantities.grams(text, unit) for text in WEIGHTS]


CODES = [
    "L1。V260608-7K3M9QXA。1780000000", "Ｌ１．Ｖ260608－7K3M9QXA", "L1，V260608—7K3M9QXA", "482\u200b193", "L260608\u20117K3M9QXA-2",
    "４８２１９３",
]  # fmt: skip


def test_a_code_is_the_same_in_the_field_and_when_it_is_sent() -> None:
    assert [str(code).upper() for code in run("desk.js", "scanned(text)", CODES)] == [identifiers.scanned(code) for code in CODES]


def test_words_typed_into_a_field_for_codes_stay_words() -> None:
    words = ["血橙（大）", "blood orange", "米，面"]
    assert run("desk.js", "scanned(text)", words) == words
