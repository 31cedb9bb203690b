"""What imports bring."""

from __future__ import annotations

from datetime import timedelta

from shop.imports import api, commands, jobs
from shop.imports.invariants import INVARIANTS
from shop.imports.permissions import ImportPermission
from shop.imports.tags import FACTS, SUBJECTS, Done
from shop.models.imports import ImportFile, ImportRow, ProductImport
from shop.platform.features import Feature
from shop.platform.retention import Forget, Keep

KEPT = timedelta(days=30)

FEATURE = Feature(
    name="imports",
    api=(api,),
    jobs=(jobs,),
    commands=(commands.group,),
    invariants=INVARIANTS,
    owns=(ProductImport, ImportFile, ImportRow),
    keeps={
        ProductImport: Keep(
            "30 days, with its rows: what became of them stands in the record, in prices and in stock.",
            (Forget(KEPT, ProductImport.created_at, first=(ImportRow.import_id, ImportFile.import_id)),),
        ),
        ImportFile: Keep("Until it is read; of one that nobody reads, as its import."),
        ImportRow: Keep("As its import."),
    },
    done=Done,
    subjects=SUBJECTS,
    facts=FACTS,
    permissions=ImportPermission,
)
