"""Sheets of goods: read from CSV and XLSX, looked at row by row, decided about, applied; and written for who wants theirs back."""
