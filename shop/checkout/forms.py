"""What people send to order."""

from __future__ import annotations

from wtforms import HiddenField, IntegerField
from wtforms.validators import InputRequired, NumberRange
from wtforms.widgets import HiddenInput

from shop.platform.forms import Clean
from shop.wallet.forms import TenderForm

MOST_FEN = 10**12


class OrderForm(TenderForm):
    quote = HiddenField(validators=[Clean(40)])
    seen_total = IntegerField(widget=HiddenInput(), validators=[InputRequired(), NumberRange(0, MOST_FEN)])
