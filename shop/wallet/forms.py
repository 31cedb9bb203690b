"""What people type about their wallet. PINs are never filled in again."""

from __future__ import annotations

from flask_babel import lazy_gettext as _
from wtforms import PasswordField

from shop.platform.forms import Figures, ShopForm


class PinForm(ShopForm):
    old_pin = PasswordField(_("Present PIN"), [Figures(20)])
    pin = PasswordField(_("New PIN"), [Figures(20)])
    again = PasswordField(_("New PIN once more"), [Figures(20)])
