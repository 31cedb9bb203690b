"""What people type to sign in and about themselves."""

from __future__ import annotations

from flask_babel import lazy_gettext as _
from wtforms import StringField

from shop.accounts import rules
from shop.platform.forms import Clean, Named, ShopForm


class PhoneForm(ShopForm):
    phone = StringField(_("Mobile number"), [Clean(40)])


class CodeForm(ShopForm):
    code = StringField(_("Code from the text message"), [Clean(20)])


class SecondFactorForm(ShopForm):
    totp = StringField(_("Code from your authenticator"), [Clean(20)])


class NameForm(ShopForm):
    display_name = StringField(_("Your name"), [Named(rules.NAME_LENGTH)])
