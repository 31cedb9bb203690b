"""What onboarding tells people in their inbox."""

from __future__ import annotations

from shop.kernel.errors import sentence
from shop.platform.notices import Words

NOTICES: Words = {
    "onboarding.asked": (sentence("A question about your application"), sentence("Please answer it, so that your application can go on.")),
    "onboarding.approved": (
        sentence("Your shop is open"), sentence("%(shop)s has been approved. Set up your authenticator to get into the merchant console.")
    ),
    "onboarding.declined": (sentence("Your application was declined"), sentence("The reason stands there. You may apply again.")),
    "onboarding.expires": (
        sentence("A licence runs out"),
        sentence("The %(paper)s of %(shop)s is valid until %(day)s. Please renew it in time and show the new one to the operator.")
    ),
    "onboarding.expired": (
        sentence("A licence has run out"),
        sentence("The %(paper)s of %(shop)s was valid until %(day)s. Please show the new one to the operator now.")
    ),
    "onboarding.suspended": (
        sentence("Your shop is suspended"), sentence("%(shop)s takes no new orders: %(reason)s Please finish the orders you have.")
    ),
    "onboarding.restored": (sentence("Your shop sells again"), sentence("%(shop)s takes orders again. Your goods are as they were.")),
}  # fmt: skip
