"""The JSON API, version 1: one module per resource over the same operations as the pages."""
