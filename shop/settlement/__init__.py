"""Money has arrived: what it pays for, and what happens when it comes late, twice or wrong."""
