"""What staff may be permitted to do with passes."""

from __future__ import annotations

from shop.platform.permissions import Permission


class PickupPermission(Permission):
    PASS_EXTEND = "pickup:pass:extend", "Let a pass run until the next closing time"
