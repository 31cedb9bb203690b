"""A shop's own figures: what was sold, how well, what went to waste, who comes again."""
