"""Things without tables and without features: the session, money, weight, time, names, refusals, text."""
