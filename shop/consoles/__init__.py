"""Where work is done: merchants pack, keepers hand over, operators look after the whole."""
