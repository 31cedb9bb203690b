"""The books checked: every promise the data must keep, as one query each that finds the rows which break it.

Constraints in the database are the first witness, these queries are the second: they also see what no constraint can
(sums over many rows, two tables that must agree, time that passed). Plain SQL text, the same on both engines.
"""
