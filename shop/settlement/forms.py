"""What people type to bring money in."""

from __future__ import annotations

import re

from flask_babel import lazy_gettext as _
from wtforms import StringField
from wtforms.validators import ValidationError

from shop.kernel.money import Money
from shop.platform.forms import Figures, ShopForm


class TopUpForm(ShopForm):
    amount = StringField(_("Amount in yuan"), [Figures(20)])

    def validate_amount(self, field: StringField) -> None:
        field.data = re.sub(r"^¥|元$", "", field.data or "")
        if re.fullmatch(r"[0-9]{1,3}(,[0-9]{3})+([.][0-9]*)?", field.data):
            field.data = field.data.replace(",", "")
        if re.fullmatch(r"[0-9]{1,6}([.][0-9]{1,2})?", field.data or "") is None:
            raise ValidationError(_("Please enter an amount such as 100 or 99.50."))

    @property
    def money(self) -> Money:
        """The amount typed; only of a form that is valid."""
        whole, _point, cents = self.amount.data.partition(".")
        return Money(int(whole) * 100 + int(cents.ljust(2, "0") or 0))
