"""Backups: one file with the database as it was at one moment and every uploaded file, checked when it is written and when it is read.

`cipher` seals a stream, `archive` puts parts into one file with a manifest, `sqlite` and `postgresql` copy a database and put one
back; `creating`, `restoring` and `drilling` put these together, `reconciling` asks the providers after a restore.
docs/operations/backup.md is for whoever keeps the shop, docs/decisions/0052 for whoever changes this.
"""
