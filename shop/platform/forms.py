"""What every page form shares: refusals shown beside their field, and what was typed kept."""

from __future__ import annotations

from typing import Any

from flask import Flask, g, request
from flask_wtf import FlaskForm
from wtforms import DateField, Field, IntegerField
from wtforms.validators import ValidationError

from shop.kernel import gate, identifiers, quantities, text
from shop.kernel.errors import Invalid, ShopError, sentence
from shop.platform.http import told


class ShopForm(FlaskForm):
    """A form that can show a refusal where it belongs."""

    class Meta(FlaskForm.Meta):
        def wrap_formdata(self, form: Any, formdata: Any) -> Any:
            """Only what a form sends: pages read no JSON, whatever the sender calls its body."""
            return None if request.is_json else super().wrap_formdata(form, formdata)

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
            field.data = self.read(field.data or "")
        except ShopError as error:
            raise ValidationError(told(error)) from None

    def read(self, value: str) -> str:
        return text.clean(value, self.limit, multiline=self.multiline)


class Named(Clean):
    """The same for what somebody or something is called: without marks nobody sees."""

    def read(self, value: str) -> str:
        return text.name(value, self.limit)


class Figures(Clean):
    """The same for a PIN or a code: full-width figures and blanks or hyphens between them are what was meant without them."""

    def __call__(self, _form: Any, field: Any) -> None:
        super().__call__(_form, field)
        field.data = identifiers.figures(field.data)


class NotWhole(Invalid):
    code = "not_a_whole_number"
    message = sentence("Please enter a whole number.")


class WholeNumberField(IntegerField):
    """How many of something, as people type it: `２`, `1,000`. Python's own reading would also take `1_0`."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        if not valuelist:
            return
        number = quantities.whole_number(valuelist[0])
        if number is None:
            raise ValueError(told(NotWhole()))
        self.data = number


class NotADay(Invalid):
    code = "not_a_day"
    message = sentence("Please choose a day.")


class DayField(DateField):
    """A day that the shop can speak of, as browsers send it."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        found = gate.day(valuelist[0]) if valuelist else None
        if found is None:
            self.data = None
            raise ValueError(told(NotADay()))
        self.data = found


def takes_focus(is_wanted: Any) -> bool:
    """Whether this field has the focus as its page opens: the first one that is wrong, or that the page begins with, and no other."""
    if not is_wanted or g.get("is_focus_taken"):
        return False
    g.is_focus_taken = True
    return True


def init_app(app: Flask) -> None:
    app.jinja_env.globals["takes_focus"] = takes_focus
