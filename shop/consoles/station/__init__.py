"""The counter of a pick-up point: what is expected, what has come, who is collecting."""
