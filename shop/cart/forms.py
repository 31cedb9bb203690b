"""What people send about a cart."""

from __future__ import annotations

from flask_babel import lazy_gettext as _
from wtforms import StringField
from wtforms.validators import NumberRange, Optional

from shop.cart.rules import MOST_UNITS
from shop.platform.forms import Clean, ShopForm, WholeNumberField

FROM_NONE = _("Please enter a number from 0 to 999.")


class PutForm(ShopForm):
    variant = StringField(validators=[Clean(80)])
    quantity = WholeNumberField(default=1, validators=[NumberRange(1, MOST_UNITS)])
    go = StringField(validators=[Clean(10)])


class ChangeForm(ShopForm):
    """How many of something are to lie in the cart: by a button, or `typed`. `seen` is how many the page showed; `mine` whose it was."""

    variant = StringField(validators=[Clean(80)])
    quantity = WholeNumberField(validators=[Optional(), NumberRange(0, MOST_UNITS, FROM_NONE)])
    typed = WholeNumberField(validators=[Optional(), NumberRange(0, MOST_UNITS, FROM_NONE)])
    seen = WholeNumberField(validators=[Optional(), NumberRange(0, MOST_UNITS)])
    mine = StringField(validators=[Clean(1)])

    @property
    def wanted(self) -> int | None:
        """What was pressed, else what was typed; None for neither."""
        return self.quantity.data if self.quantity.data is not None else self.typed.data

    @property
    def complaint(self) -> str:
        """What is wrong with what was sent, in one sentence."""
        found = [str(error) for field in (self.quantity, self.typed) for error in field.errors]
        return found[0] if found else str(FROM_NONE)
