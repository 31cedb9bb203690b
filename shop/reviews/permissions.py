"""What shops and staff may be permitted to do with reviews. Nobody is permitted to delete one."""

from __future__ import annotations

from shop.platform.permissions import Permission


class ReviewPermission(Permission):
    SHOP_READ = "reviews:shop:read", "See what people say of the shop's goods"
    ANSWER_WRITE = "reviews:answer:write", "Answer a review once, and correct the answer"
    QUEUE_READ = "reviews:queue:read", "See reported and hidden reviews, with what they said before"
    REPORT_DECIDE = "reviews:report:decide", "Keep a reported review, hide it with a reason, or show it again"
