"""Those who sell."""
