"""Becoming a shop, and staying one."""
