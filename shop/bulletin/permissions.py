"""What staff may be permitted to do with the bulletin."""

from __future__ import annotations

from shop.platform.permissions import Permission


class BulletinPermission(Permission):
    DESK_READ = "bulletin:desk:read", "See drafts, what waits for review and what was, with who wrote and published it"
    NOTICE_WRITE = "bulletin:notice:write", "Write notices and corrections, and withdraw them"
    NOTICE_PUBLISH = "bulletin:notice:publish", "Publish what somebody else wrote, or refuse it"
