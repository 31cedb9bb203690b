"""What people type about their wallet. PINs are never filled in again."""

from __future__ import annotations

from flask_babel import lazy_gettext as _
from wtforms import HiddenField, PasswordField, StringField
from wtforms.validators import AnyOf

from shop.models.orders import PaymentMethod
from shop.platform.forms import Clean, Figures, ShopForm

WAYS = (PaymentMethod.WALLET.value, PaymentMethod.STRIPE.value)


class PinForm(ShopForm):
    old_pin = PasswordField(_("Present PIN"), [Figures(20)])
    pin = PasswordField(_("New PIN"), [Figures(20)])
    again = PasswordField(_("New PIN once more"), [Figures(20)])


class TenderForm(ShopForm):
    """How something is paid: which way, and for the wallet what it asks for. `send` is the button that has a code sent first."""

    method = StringField(_("How to pay"), validators=[AnyOf(WAYS)])
    pin = PasswordField(_("Wallet PIN (6 digits)"), validators=[Figures(20)])
    code = StringField(_("Code from the text message"), validators=[Figures(20)])
    send = HiddenField(validators=[Clean(10)])

    @property
    def wants_code(self) -> bool:
        """Whether nothing is to be paid yet, and a code is to be sent."""
        return self.send.data == "code"
