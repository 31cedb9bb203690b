"""What people send to order."""

from __future__ import annotations

from flask_babel import lazy_gettext as _
from wtforms import HiddenField, IntegerField, PasswordField, StringField
from wtforms.validators import AnyOf, InputRequired
from wtforms.widgets import HiddenInput

from shop.models.orders import PaymentMethod
from shop.platform.forms import Clean, Figures, ShopForm


class OrderForm(ShopForm):
    quote = HiddenField(validators=[Clean(40)])
    seen_total = IntegerField(widget=HiddenInput(), validators=[InputRequired()])
    method = StringField(_("How to pay"), validators=[AnyOf([PaymentMethod.WALLET.value, PaymentMethod.STRIPE.value])])
    pin = PasswordField(_("Wallet PIN (6 digits)"), validators=[Figures(20)])
    code = StringField(_("Code from the text message"), validators=[Figures(20)])
