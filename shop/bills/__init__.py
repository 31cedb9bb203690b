"""Household bills: looking up what is due, paying it exactly once, and saying honestly where a payment stands."""
