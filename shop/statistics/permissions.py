"""What staff may be permitted to see of a shop's figures."""

from __future__ import annotations

from shop.platform.permissions import Permission


class StatisticsPermission(Permission):
    SHOP_READ = "statistics:shop:read", "See what a shop sold, how well, what went to waste and how many buyers come again"
