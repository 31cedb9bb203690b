"""What came out of each check, and the table at the end of `script/test`."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from script.support.screen import padded, width

NOTHING_COLLECTED = 5
"""pytest's exit code when no test matched."""


@dataclass
class Outcome:
    """One line of the table. `skipped` counts reasons: why something did not run."""

    name: str
    engine: str = ""
    passed: int = 0
    failed: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    note: str = ""
    unsteady: list[str] = field(default_factory=list)
    """Tests that failed among the others and passed when asked again alone: to be mended, and never passed over in silence."""

    @property
    def verdict(self) -> str:
        if self.failed:
            return "FAILED"
        if self.unsteady:
            return "UNSTEADY"
        return "ok" if self.passed else "skipped"


def outcome_of_check(name: str, exit_code: int, seconds: float) -> Outcome:
    """A check that either holds or does not counts as one."""
    return Outcome(name, passed=int(exit_code == 0), failed=int(exit_code != 0), seconds=seconds)


def outcome_of_pytest(name: str, engine: str, exit_code: int, seconds: float, report: Path) -> Outcome:
    """Count a pytest run from its JUnit report. A run that broke off counts as a failure even without a failed test."""
    outcome = Outcome(name, engine, seconds=seconds)
    if report.exists():
        count_cases(outcome, report)
    if exit_code == NOTHING_COLLECTED:
        if not outcome.skipped:
            outcome.skipped["there is no such test"] += 1
    elif exit_code != 0 and not outcome.failed:
        outcome.failed = 1
        outcome.note = f"pytest broke off with exit code {exit_code}"
    elif exit_code == 0 and not report.exists():
        outcome.failed = 1
        outcome.note = "pytest left no report"
    return outcome


def failed_tests(cache: Path) -> list[str]:
    """The ids of what failed in the run that used this cache folder of pytest, by name; empty when it left none."""
    try:
        return sorted(json.loads((cache / "v" / "cache" / "lastfailed").read_text()))
    except (OSError, ValueError):
        return []


def count_cases(outcome: Outcome, report: Path) -> None:
    """Add the cases of a JUnit report. An expected failure counts as passed: it was expected."""
    try:
        cases = list(ElementTree.parse(report).getroot().iter("testcase"))
    except ElementTree.ParseError:
        outcome.failed, outcome.note = 1, "pytest left a damaged report"
        return
    for case in cases:
        skip = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            outcome.failed += 1
        elif skip is not None and skip.get("type") != "pytest.xfail":
            outcome.skipped[skip.get("message") or "no reason given"] += 1
        else:
            outcome.passed += 1


def refuse_skips(outcome: Outcome) -> None:
    """Where nothing may be skipped (CI), every skip is a failure."""
    if outcome.skipped:
        outcome.failed += outcome.skipped.total()
        outcome.note = "; ".join(filter(None, [outcome.note, "CI allows no skip: " + reasons(outcome.skipped)]))
        outcome.skipped.clear()


def reasons(skipped: Counter[str]) -> str:
    """The reasons in words, with counts where there are several."""
    return "; ".join(reason if count == 1 else f"{count} x {reason}" for reason, count in skipped.most_common())


def summary(outcomes: Sequence[Outcome], *, left_out: Sequence[str] = ()) -> list[str]:
    """The table, the reasons, and the total on a line of its own."""
    heading = ("check", "engine", "result", "passed", "failed", "skipped", "seconds")
    rows = [heading] + [
        (each.name, each.engine or "-", each.verdict, str(each.passed), str(each.failed), str(each.skipped.total()), f"{each.seconds:.1f}")
        for each in outcomes
    ]
    columns = [max(width(row[index]) for row in rows) for index in range(len(heading))]
    lines = [_row(row, columns) for row in rows]
    lines.insert(1, "  ".join("-" * column for column in columns))
    notes = [f"{label(each)}: {each.note}" for each in outcomes if each.note]
    notes += [f"unsteady, {label(each)}: {test}" for each in outcomes for test in each.unsteady]
    skips = [f"skipped, {label(each)}: {reasons(each.skipped)}" for each in outcomes if each.skipped]
    lines += ["", *notes, *skips, *(f"left out as asked: {name}" for name in left_out)]
    passed, failed = sum(each.passed for each in outcomes), sum(each.failed for each in outcomes)
    skipped = sum(each.skipped.total() for each in outcomes)
    total = f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else "")
    seconds = sum(each.seconds for each in outcomes)
    return [*lines, f"{seconds:.0f} seconds in all", total]


def label(outcome: Outcome) -> str:
    """How a line of the table is named in a sentence."""
    return f"{outcome.name} on {outcome.engine}" if outcome.engine else outcome.name


def _row(cells: Sequence[str], columns: Sequence[int]) -> str:
    words = [padded(cell, column) for cell, column in zip(cells[:3], columns[:3], strict=True)]
    figures = [cell.rjust(column) for cell, column in zip(cells[3:], columns[3:], strict=True)]
    return "  ".join([*words, *figures]).rstrip()
