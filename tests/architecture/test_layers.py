"""Inside a feature imports point down, whatever its modules are called."""

from __future__ import annotations

import pytest

from tests.architecture.layers import FEATURES, Layer, layer_of, modules_of_features, upward_imports
from tests.architecture.syntax import ROOT, Module, parsed, shop_modules

pytestmark = pytest.mark.one_engine

READER = "from sqlalchemy.orm import Session\ndef count(session: Session) -> int: ...\n"
WRITER = "from shop.kernel.db import operation\n@operation\ndef place(session): ...\n"


def test_no_module_of_a_feature_imports_from_a_layer_above_its_own() -> None:
    assert list(upward_imports(modules_of_features(shop_modules()))) == []


def test_every_feature_is_looked_at() -> None:
    with_layers = {place.parent.name for place in (ROOT / "shop").glob("*/feature.py")} - {"api", "cli", "home", "platform", "consoles"}
    assert with_layers == set(FEATURES)
    assert {module.package for module in modules_of_features(shop_modules()).values()} == set(FEATURES)


@pytest.mark.parametrize(
    ("source", "layer"),
    [
        ("def price(grams: int) -> int: ...\n", Layer.RULES),
        (READER, Layer.QUERIES),
        ("from shop.stock.queries import Lying\n", Layer.QUERIES),
        ("from shop.stock import queries\n", Layer.QUERIES),
        (WRITER, Layer.OPERATIONS),
        ("def put(session):\n    session.execute(sa.update(ITEMS))\n", Layer.OPERATIONS),
        ("from flask import current_app\n", Layer.DOORS),
        ("def run():\n    perform(place, 1)\n", Layer.DOORS),
    ],
)
def test_a_module_with_a_name_of_its_own_belongs_where_its_work_belongs(source: str, layer: Layer) -> None:
    assert layer_of(parsed(source, "shop.stock.example")) is layer


@pytest.mark.parametrize(
    ("low", "high"),
    [(READER, WRITER), ("KILO = 1000\n", READER), (WRITER, "from flask import current_app\n")],
    ids=["query", "rule", "operation"],
)
def test_an_import_that_points_up_is_caught(low: str, high: str) -> None:
    def both(imported: str) -> dict[str, Module]:
        lower = parsed(low + imported, "shop.stock.lower")
        return {"shop.stock.lower": lower, "shop.stock.upper": parsed(high, "shop.stock.upper")}

    assert list(upward_imports(both(""))) == []
    assert len(list(upward_imports(both("from shop.stock import upper\n")))) == 1
    assert len(list(upward_imports(both("from shop.stock.upper import something\n")))) == 1
