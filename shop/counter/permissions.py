"""What staff may be permitted to do at a counter."""

from __future__ import annotations

from shop.platform.permissions import Permission


class CounterPermission(Permission):
    POINT_READ = "counter:point:read", "See what comes to a point, what waits there and for whom, and every scan"
    PASS_FIND = "counter:pass:find", "Look up what somebody shows at the counter"
    SHELF_CLEAR = "counter:shelf:clear", "Take goods off the shelf whose pass ran out"
    HAND_OVER = "orders:pass:hand_over", "Hand over what a pass opens, which pays the shops"
    HAND_OVER_TAKE_BACK = "orders:pass:take_back", "Take a hand-over back that went to the wrong person"
