"""What people send about a cart."""

from __future__ import annotations

from wtforms import IntegerField, StringField
from wtforms.validators import InputRequired, NumberRange

from shop.cart.rules import MOST_UNITS
from shop.platform.forms import Clean, ShopForm


class PutForm(ShopForm):
    variant = StringField(validators=[Clean(80)])
    quantity = IntegerField(default=1, validators=[NumberRange(1, MOST_UNITS)])
    go = StringField(validators=[Clean(10)])


class ChangeForm(ShopForm):
    variant = StringField(validators=[Clean(80)])
    quantity = IntegerField(validators=[InputRequired(), NumberRange(0, MOST_UNITS)])
