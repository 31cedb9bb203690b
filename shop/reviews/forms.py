"""What somebody writes who reviews, adds, answers or reports."""

from __future__ import annotations

from flask_babel import lazy_gettext as _
from wtforms import BooleanField, SelectField, TextAreaField

from shop.kernel import gate
from shop.models.reviews import ReportKind
from shop.platform.forms import Clean, ShopForm
from shop.reviews.errors import KindMissing, StarsMissing
from shop.reviews.rules import LONGEST_ANSWER, LONGEST_FOLLOW_UP, LONGEST_REASON, LONGEST_TEXT, MOST_STARS


class ReviewForm(ShopForm):
    stars = SelectField(_("How many stars"), [Clean(10)], validate_choice=False)
    text = TextAreaField(_("In your words"), [Clean(LONGEST_TEXT, multiline=True)])
    is_anonymous = BooleanField(_("Do not show my name"))

    def given(self) -> int:
        """How many stars were chosen. Raises `StarsMissing`."""
        found = gate.number(self.stars.data or "", 1, MOST_STARS)
        if found is None:
            raise StarsMissing()
        return found


class FollowUpForm(ShopForm):
    follow_up = TextAreaField(_("What you want to add"), [Clean(LONGEST_FOLLOW_UP, multiline=True)])


class AnswerForm(ShopForm):
    answer = TextAreaField(_("The shop's answer"), [Clean(LONGEST_ANSWER, multiline=True)])


class ReportForm(ShopForm):
    kind = SelectField(_("What is wrong with it"), [Clean(40)], validate_choice=False)
    words = TextAreaField(_("Say more about it"), [Clean(LONGEST_REASON, multiline=True)])

    def chosen(self) -> ReportKind:
        """Which kind it is. Raises `KindMissing`."""
        if self.kind.data not in {kind.value for kind in ReportKind}:
            raise KindMissing()
        return ReportKind(self.kind.data)
