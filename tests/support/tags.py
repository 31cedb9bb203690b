"""Kinds of deeds for the record: the shop's own by their code, and ones that no release knows."""

from __future__ import annotations

from typing import cast

import shop.wiring  # noqa: F401  (names the features)
from shop.platform.audit import Tag
from shop.platform.features import registry


def tag(code: str) -> Tag:
    """The shop's tag with a code, or one as an earlier release may have had."""
    known = registry.tags().get(code)
    return known or cast(Tag, next(iter(Tag("Old", {"OLD": (code, "an old deed")}))))  # type: ignore[call-overload]
