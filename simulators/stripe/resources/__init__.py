"""The objects of the API, one module each. `operations.py` says which call reaches which function."""
