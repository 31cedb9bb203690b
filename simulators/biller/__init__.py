"""The twelve billers of Neijiang as one small separate program: bills, write-offs, day files, and their failures on demand."""
