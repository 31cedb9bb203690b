"""`assert_books_are_right()`: every invariant holds, whatever the test did. For the end of any test that moved something."""

from __future__ import annotations

from shop.cli.verify.checks import broken
from shop.kernel.db import reading
from shop.platform.features import registry

PLUMBING = ("plumbing.",)
"""What most tests do not keep: no worker ran, staff was made without authenticators."""


def assert_books_are_right(*, leave_out: tuple[str, ...] = PLUMBING) -> None:
    """Fail with the invariants that do not hold and the rows that break them.

    `leave_out` names invariants (or areas: "pickup.") the test did not mean to keep, such as hand-overs skipped by calling
    `mark_collected` itself. `()` checks everything.
    """
    reading().rollback()
    kept = [invariant for invariant in registry.invariants() if not (leave_out and invariant.name.startswith(leave_out))]
    findings = broken(reading(), invariants=kept)
    assert not findings, "\n".join(f"{finding.name}: {finding.sentence} {finding.rows}" for finding in findings)
