"""Why figures cannot be shown."""

from __future__ import annotations

from shop.kernel.errors import Invalid, sentence


class SpanTurnedRound(Invalid):
    code, field = "span_turned_round", "last"
    message = sentence("The last day is before the first one.")


class SpanTooLong(Invalid):
    code, field = "span_too_long", "last"
    message = sentence("Please choose at most %(most)s days.")

class SpanNotBegun(Invalid):
    code, field = "span_not_begun", "first"
    message = sentence("This day has not come yet.")


class DayMissing(Invalid):
    code = "day_missing"
    message = sentence("Please choose both days, or none.")
