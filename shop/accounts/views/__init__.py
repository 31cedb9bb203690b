"""Doors of the account: one's own page, preferences, messages. Signing in is a process and lives in `shop.home.sign_in`."""
