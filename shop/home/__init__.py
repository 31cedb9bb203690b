"""The front door: home page, signing in, and what every page is given."""
