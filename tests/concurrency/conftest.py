"""Some races run against a whole house."""

from __future__ import annotations

from tests.support.houses import house, pytest_runtest_makereport, template

__all__ = ["house", "pytest_runtest_makereport", "template"]
