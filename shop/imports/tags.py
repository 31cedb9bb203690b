"""What imports put on record: each kind of deed, and what it is called."""

from __future__ import annotations

from shop.kernel.errors import sentence
from shop.platform.audit import Tag


class Done(Tag):
    IMPORT_BROUGHT = "import.brought", sentence("Sheet of goods brought")
    IMPORT_CHOSEN = "import.chosen", sentence("Sheet of goods decided about")
    IMPORT_FINISHED = "import.finished", sentence("Sheet of goods applied")
    IMPORT_DROPPED = "import.dropped", sentence("Sheet of goods dropped")


SUBJECTS = {"product_import": sentence("Import")}
"""What deeds are done to."""

FACTS = {
    "ref": sentence("Reference"),
    "choice": sentence("Choice"),
    "applied": sentence("Rows applied"),
    "failed": sentence("Rows left out"),
    "rows_wanted": sentence("Rows to apply"),
}
"""What the facts of entries are called."""
