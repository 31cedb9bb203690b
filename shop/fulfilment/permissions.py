"""What staff may be permitted to do about what waits too long."""

from __future__ import annotations

from shop.platform.permissions import Permission


class FulfilmentPermission(Permission):
    OVERDUE_READ = "overdue:order:read", "See what waits too long in the whole city"
    OVERDUE_END = "overdue:order:end", "End what waits too long, which gives its money back"
