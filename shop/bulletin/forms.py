"""What somebody writes who puts up a notice."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _
from wtforms import BooleanField, SelectField, StringField, TextAreaField

from shop.bulletin.errors import KindMissing, PlaceMissing, TextMissing
from shop.bulletin.rules import LONGEST_BUILDING, LONGEST_TEXT, LONGEST_TITLE, Wording
from shop.models.bulletin import BulletinKind
from shop.platform.forms import Clean, DayField, Named, ShopForm


class NoticeForm(ShopForm):
    community = SelectField(_("For whom"), [Clean(80)], validate_choice=False)
    kind = SelectField(_("Kind of notice"), [Clean(40)], validate_choice=False)
    title_zh = StringField(_("Title in Chinese"), [Named(LONGEST_TITLE)])
    text_zh = TextAreaField(_("Text in Chinese"), [Clean(LONGEST_TEXT, multiline=True)])
    title_en = StringField(_("Title in English"), [Named(LONGEST_TITLE)])
    text_en = TextAreaField(_("Text in English"), [Clean(LONGEST_TEXT, multiline=True)])
    building = StringField(_("For which buildings"), [Named(LONGEST_BUILDING)])
    starts_on = DayField(_("First day"))
    ends_on = DayField(_("Last day"))
    is_pinned = BooleanField(_("Pin it to the top"))

    asks_for_place = False
    """A correction has the place of its notice."""

    def validate(self, extra_validators: Any = None) -> bool:
        """Say of all fields at once what is wrong or missing."""
        super().validate(extra_validators)
        missing = [KindMissing(), TextMissing("title_zh"), TextMissing("text_zh"), *([PlaceMissing()] if self.asks_for_place else [])]
        for refusal in missing:
            field = self[refusal.field]
            if not field.data and not field.errors:
                self.show(refusal)
        return not self.errors and not self.form_errors

    def wording(self) -> Wording:
        """What was written, once the form is valid. Raises `KindMissing`."""
        first, last = self.starts_on.data, self.ends_on.data
        assert first is not None, "days are read before this is asked"
        assert last is not None
        if self.kind.data not in {kind.value for kind in BulletinKind}:
            raise KindMissing()
        return Wording(
            kind=BulletinKind(self.kind.data), title_zh=self.title_zh.data, text_zh=self.text_zh.data, title_en=self.title_en.data,
            text_en=self.text_en.data, building=self.building.data, starts_on=first, ends_on=last,
            is_pinned=self.is_pinned.data,
        )  # fmt: skip
