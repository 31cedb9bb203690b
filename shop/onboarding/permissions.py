"""What may be permitted to do with applications and shops."""

from __future__ import annotations

from shop.platform.permissions import Permission


class OnboardingPermission(Permission):
    APPLICATION_READ = "onboarding:application:read", "See applications to sell, with questions and answers, but no paper"
    APPLICATION_DECIDE = "onboarding:application:decide", "Ask applicants, approve and decline"
    PAPER_REVEAL = "onboarding:paper:reveal", "Look at an applicant's paper, with a reason that is recorded"
    SHOP_READ = "onboarding:shop:read", "See all shops, their licences and suspensions"
    LICENCE_WRITE = "onboarding:licence:write", "Write down that a shop's licence was renewed"
    SHOP_SUSPEND = "onboarding:shop:suspend", "Suspend a shop, and let it sell again"
