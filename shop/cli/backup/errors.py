"""What can be wrong with a backup, in a sentence for whoever looks after the shop."""

from __future__ import annotations


class BackupTrouble(Exception):
    """A backup cannot be made or restored; the message says why and what to do. Nothing was changed."""


class BrokenBackup(BackupTrouble):
    """The file is not a backup as it was written: cut short, changed, or sealed under a key that is not here."""
