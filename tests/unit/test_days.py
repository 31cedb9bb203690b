"""Days and moments as they stand in a sentence, in both languages."""

from __future__ import annotations

from datetime import date, datetime

import pytest
import time_machine
from flask import Flask

from shop.platform.language import dated_moment, speaking, spoken_deadline, spoken_moment, spoken_on, spoken_start

pytestmark = pytest.mark.one_engine
NOW = datetime.fromisoformat("2026-11-30T09:00:00+08:00")


@pytest.mark.parametrize(
    ("day", "chinese", "english"),
    [
        ("2026-11-29", "昨天", "yesterday"),
        ("2026-11-30", "今天", "today"),
        ("2026-12-01", "明天", "tomorrow"),
        ("2026-12-05", "12月5日(周六)", "on Sat 5 Dec"),
    ],
)
def test_something_is_due_on_a_day(app: Flask, day: str, chinese: str, english: str) -> None:
    with time_machine.travel(NOW, tick=False):
        with speaking("zh"):
            assert spoken_on(date.fromisoformat(day)) == chinese
        with speaking("en"):
            assert spoken_on(date.fromisoformat(day)) == english


@pytest.mark.parametrize(
    ("at", "deadline", "start", "moment", "dated"),
    [
        ("2026-11-30T20:30:00+08:00", "20:30 today", "today from 20:30", "today 20:30", "20:30 on Mon 30 Nov"),
        ("2026-12-05T16:00:00+08:00", "16:00 on Sat 5 Dec", "Sat 5 Dec from 16:00", "Sat 5 Dec 16:00", "16:00 on Sat 5 Dec"),
    ],
)
def test_a_moment_reads_well_after_by_and_from(app: Flask, at: str, deadline: str, start: str, moment: str, dated: str) -> None:
    when = datetime.fromisoformat(at)
    with time_machine.travel(NOW, tick=False), speaking("en"):
        assert (spoken_deadline(when), spoken_start(when), spoken_moment(when), dated_moment(when)) == (deadline, start, moment, dated)


def test_what_is_written_down_once_names_its_date(app: Flask) -> None:
    with time_machine.travel(NOW, tick=False), speaking("zh"):
        assert dated_moment(datetime.fromisoformat("2026-11-30T20:30:00+08:00")) == "11月30日(周一) 20:30"
