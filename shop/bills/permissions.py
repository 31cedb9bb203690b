"""What staff may be permitted to do about bill payments."""

from __future__ import annotations

from shop.platform.permissions import Permission


class BillPermission(Permission):
    CASE_READ = "bills:case:read", "See bill payments that need a person"
    BILLER_ASK = "bills:biller:ask", "Have a biller asked about a payment whose end is not known"
