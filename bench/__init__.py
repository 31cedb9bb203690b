"""Repeatable measurements: the shop beside floors measured in the same run. `bench/run --help`."""
