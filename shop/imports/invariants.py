"""What is told of imports is what happened, and no file is kept longer than it is read."""

from __future__ import annotations

from shop.platform.invariants import Invariant

INVARIANTS = (
    Invariant(
        "imports.counts_are_their_rows",
        "An import tells as many applied and failed rows as it has.",
        """
        SELECT i.id, i.rows_applied, i.rows_failed FROM product_imports i WHERE i.rows_applied <> (
            SELECT COUNT(*) FROM import_rows r WHERE r.import_id = i.id AND r.outcome = 'applied'
        ) OR i.rows_failed <> (SELECT COUNT(*) FROM import_rows r WHERE r.import_id = i.id AND r.outcome = 'failed')
        """,
    ),
    Invariant(
        "imports.wrong_rows_are_not_applied",
        "What was wrong, or asked about and not confirmed, was not applied.",
        """
        SELECT id, verdict FROM import_rows WHERE outcome = 'applied'
            AND (verdict IN ('wrong', 'same') OR (is_asked = (1 = 1) AND is_sure = (1 = 0)))
        """,
    ),
    Invariant(
        "imports.files_are_forgotten_once_read",
        "The bytes of a sheet are kept only while it is read.",
        "SELECT f.import_id FROM import_files f JOIN product_imports i ON i.id = f.import_id WHERE i.state <> 'reading'",
    ),
)
