"""What staff may be permitted to do. Each feature lists its own in `permissions.py`; who holds which stands in `shop.platform.grants`."""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class Permission(StrEnum):
    """One thing that may be done: `area:thing:verb`, and what that is, for whoever reviews the grants.

    Where it may be done (at which shop, at which point) is not said here: that comes with the role a person was given.
    """

    words: str

    def __new__(cls, code: str, words: str) -> Self:
        permission = str.__new__(cls, code)
        permission._value_ = code
        permission.words = words
        return permission


class PlatformPermission(Permission):
    TODAY_READ = "operations:today:read", "See what is out of the ordinary in the city, and what was done last"
    HEALTH_READ = "operations:health:read", "See the figures of health"
    JOB_READ = "operations:job:read", "See jobs, those that gave up among them"
    JOB_RETRY = "operations:job:retry", "Put a job that gave up back into the queue"
    AUDIT_READ = "operations:audit:read", "Read the audit trail"
    PARTNER_READ = "operations:partner:read", "See how each partner answers and what waits in each lane"
    PARTNER_ASK = "operations:partner:ask", "Have a silent partner asked again now"
