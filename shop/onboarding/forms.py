"""What an applicant fills in, a form for each subject."""

from __future__ import annotations

from flask_babel import lazy_gettext as _
from wtforms import BooleanField, StringField

from shop.merchants.rules import LENGTH
from shop.models.onboarding import Food
from shop.onboarding.errors import FoodUnknown
from shop.onboarding.operations import About
from shop.onboarding.rules import LONGEST_BUSINESS, LONGEST_NAME, LONGEST_PERSON
from shop.platform.forms import Clean, Named, ShopForm

LONGEST_CODE = LENGTH + 22
"""Blanks and hyphens between the groups of a code are left out later."""


class ShopAboutForm(ShopForm):
    name_zh = StringField(_("Name of the shop"), [Named(LONGEST_NAME)])
    name_en = StringField(_("Name in English"), [Named(LONGEST_NAME)])
    business_zh = StringField(_("What you sell"), [Clean(LONGEST_BUSINESS)])
    business_en = StringField(_("What you sell, in English"), [Clean(LONGEST_BUSINESS)])
    food = StringField(_("Food"), [Clean(20)])

    def about(self) -> About:
        """What was said. Raises `FoodUnknown`."""
        if self.food.data not in set(Food):
            raise FoodUnknown()
        return About(self.name_zh.data, self.name_en.data, self.business_zh.data, self.business_en.data, Food(self.food.data))


class RegisterForm(ShopForm):
    person = StringField(_("Who answers for the shop"), [Named(LONGEST_PERSON)])
    legal_name = StringField(_("Name on the licence"), [Named(LONGEST_NAME)])
    uscc = StringField(_("Unified social credit code"), [Clean(LONGEST_CODE)])
    declares = BooleanField(_("I sell only what I grew or kept myself, and declare that I need no licence for it."))
