"""What people type to bring money in."""

from __future__ import annotations

import re

from flask_babel import lazy_gettext as _
from wtforms import StringField
from wtforms.validators import ValidationError

from shop.kernel import quantities
from shop.kernel.money import ZERO, Money
from shop.kernel.quantities import UnclearComma
from shop.payments.rules import CARD_MINIMUM
from shop.platform.forms import Clean, ShopForm
from shop.platform.http import told
from shop.settlement.errors import TopUpOutOfRange
from shop.settlement.rules import TOP_UP_MOST


def is_far_too_large(typed: str) -> bool:
    """Whether this is an amount, only more than any we read."""
    return re.fullmatch(r"¥?[0-9][0-9, ]*(\.[0-9]{1,2})?元?", quantities.readable(typed)) is not None


class TopUpForm(ShopForm):
    amount = StringField(_("Amount in yuan"), [Clean(40)])

    def validate_amount(self, field: StringField) -> None:
        try:
            amount = quantities.yuan(field.data or "")
        except UnclearComma as error:
            raise ValidationError(told(error)) from None
        if amount is None and is_far_too_large(field.data or ""):
            raise ValidationError(told(TopUpOutOfRange(least=CARD_MINIMUM, most=TOP_UP_MOST)))
        if amount is None:
            raise ValidationError(_("Please enter an amount such as 100 or 99.50."))

    @property
    def money(self) -> Money:
        """The amount typed; only of a form that is valid."""
        return quantities.yuan(self.amount.data) or ZERO
