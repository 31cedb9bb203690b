"""What people type to save an account and to pay."""

from __future__ import annotations

from flask_babel import lazy_gettext as _
from wtforms import HiddenField, StringField
from wtforms.validators import AnyOf, Length

from shop.bills.operations.accounts import LABEL_LENGTH
from shop.models.bills import Biller, BillerFlow
from shop.models.orders import PaymentMethod
from shop.platform.forms import Clean, Figures, Named, ShopForm


class AccountForm(ShopForm):
    account_no = StringField(_("Account number"), [Clean(64)])
    label = StringField(_("Name on your list"), [Named(LABEL_LENGTH)])

    def of(self, biller: Biller) -> AccountForm:
        """The form in the words of a biller: telephones have no account number."""
        if biller.flow is BillerFlow.PAY_ONLY:
            self.account_no.label.text = _("Mobile number")
        return self


class LabelForm(ShopForm):
    label = StringField(_("Name on your list"), [Named(LABEL_LENGTH)])


class PayForm(ShopForm):
    """`token` is made with the page: the same page sent twice is one payment."""

    token = HiddenField(validators=[Clean(64), Length(16, 64)])
    method = StringField(_("How to pay"), [AnyOf([PaymentMethod.WALLET.value, PaymentMethod.STRIPE.value])])
    pin = StringField(_("Wallet PIN (6 digits)"), [Figures(20)])
    code = StringField(_("Code from the text message"), [Figures(20)])
