"""Every part of a feature is named by the feature: nothing registers itself behind its back."""

from __future__ import annotations

import pytest

from shop import wiring
from shop.kernel.db import Base
from shop.platform.api.core import ENDPOINTS
from shop.platform.features import registry
from shop.platform.outbox import HANDLERS
from tests.architecture.syntax import ROOT

pytestmark = pytest.mark.one_engine


def test_every_job_is_in_a_module_that_a_feature_names() -> None:
    named = {module.__name__ for feature in wiring.FEATURES for module in feature.jobs}
    ours = {kind: work.handler.__module__ for kind, work in HANDLERS.items() if work.handler.__module__.startswith("shop.")}
    assert {kind: module for kind, module in ours.items() if module not in named} == {}


def test_every_resource_is_in_a_module_that_a_feature_names() -> None:
    named = {module.__name__ for feature in wiring.FEATURES for module in feature.api}
    assert ENDPOINTS
    assert {(endpoint.method, endpoint.path): endpoint.module for endpoint in ENDPOINTS if endpoint.module not in named} == {}


def test_every_table_has_one_owner() -> None:
    assert {mapper.class_.__name__ for mapper in Base.registry.mappers} == set(registry.owners())


def test_every_folder_of_a_feature_is_on_the_list() -> None:
    folders = {place.parent.relative_to(ROOT).as_posix().replace("/", ".") for place in (ROOT / "shop").rglob("feature.py")}
    source = (ROOT / "shop" / "wiring.py").read_text(encoding="utf-8")
    assert {folder for folder in folders if f"from {folder}.feature import FEATURE" not in source} == set()
    assert len(folders) == len(wiring.FEATURES)
