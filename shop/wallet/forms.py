"""What people type about their wallet. PINs are never filled in again."""

from __future__ import annotations

from flask_babel import lazy_gettext as _
from wtforms import PasswordField

from shop.platform.forms import Clean, ShopForm


class PinForm(ShopForm):
    old_pin = PasswordField(_("Present PIN"), [Clean(12)])
    pin = PasswordField(_("New PIN"), [Clean(12)])
    again = PasswordField(_("New PIN once more"), [Clean(12)])
