"""What every page form shares: refusals shown beside their field, and what was typed kept."""

from __future__ import annotations

from typing import Any

from flask import Flask, g
from flask_wtf import FlaskForm
from wtforms import Field
from wtforms.validators import ValidationError

from shop.kernel import text
from shop.kernel.errors import ShopError
from shop.platform.http import told


class ShopForm(FlaskForm):
    """A form that can show a refusal where it belongs."""

    def show(self, error: ShopError) -> None:
        """Put a refusal beside its field, or on top of the form when it has none."""
        field = getattr(self, error.field, None) if error.field else None
        sentence = told(error)
        if isinstance(field, Field):
            field.errors = [*field.errors, sentence]
        else:
            self.form_errors.append(sentence)


class Clean:
    """A WTForms validator: the text gate of `kernel.text` with a limit."""

    def __init__(self, limit: int, multiline: bool = False) -> None:
        self.limit, self.multiline = limit, multiline

    def __call__(self, _form: Any, field: Any) -> None:
        try:
            field.data = text.clean(field.data or "", self.limit, multiline=self.multiline)
        except ShopError as error:
            raise ValidationError(told(error)) from None


class Figures(Clean):
    """The same for a PIN, a code or an amount: full-width figures and spaces are what was meant without them."""

    def __call__(self, _form: Any, field: Any) -> None:
        super().__call__(_form, field)
        field.data = text.typed_figures(field.data)


def takes_focus(is_wanted: Any) -> bool:
    """Whether this field has the focus as its page opens: the first one that is wrong, or that the page begins with, and no other."""
    if not is_wanted or g.get("is_focus_taken"):
        return False
    g.is_focus_taken = True
    return True


def init_app(app: Flask) -> None:
    app.jinja_env.globals["takes_focus"] = takes_focus
