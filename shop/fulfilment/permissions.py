"""What staff may be permitted to do at a counter, and about what waits too long."""

from __future__ import annotations

from shop.platform.permissions import Permission


class FulfilmentPermission(Permission):
    POINT_READ = "counter:point:read", "See what comes to a point, what waits there and for whom, and every scan"
    PASS_FIND = "counter:pass:find", "Look up what somebody shows at the counter"
    SHELF_CLEAR = "counter:shelf:clear", "Take goods off the shelf whose pass ran out"
    OVERDUE_READ = "overdue:order:read", "See what waits too long in the whole city"
    OVERDUE_END = "overdue:order:end", "End what waits too long, which gives its money back"
