"""What a shop's figures bring."""

from __future__ import annotations

from shop.platform.features import Feature
from shop.statistics import api
from shop.statistics.permissions import StatisticsPermission

FEATURE = Feature(name="statistics", api=(api,), permissions=StatisticsPermission)
