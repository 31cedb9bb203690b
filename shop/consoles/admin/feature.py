"""What the operators' console brings."""

from __future__ import annotations

from shop.consoles.admin import metrics, overdue, partners, refunds, views
from shop.platform.features import Feature

FEATURE = Feature(
    name="operators console",
    blueprints=(views.bp, metrics.bp),
    pages=(overdue, partners, refunds),
)
