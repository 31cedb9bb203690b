"""People: how they sign in, what they prefer, what they may do."""
