"""Tools for who works on the shop: pictures and audits of every page, generators. Nothing here runs in a shop."""
