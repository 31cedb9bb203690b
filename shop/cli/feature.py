"""What commands bring that look at the whole house."""

from __future__ import annotations

from shop.cli import audit, clock, doctor, files, jobs, keys, permissions, scale, translate, users
from shop.cli.backup import command as backup
from shop.cli.tags import FACTS, SUBJECTS, Done
from shop.cli.verify import command as verify
from shop.cli.verify import jobs as verifying
from shop.platform.features import Feature

FEATURE = Feature(
    name="commands",
    jobs=(verifying,),
    commands=(
        jobs.group, translate.group, users.group, permissions.permissions, verify.verify, doctor.doctor, clock.group, keys.group,
        backup.group, files.group, audit.group, scale.group,
    ),
    done=Done,
    subjects=SUBJECTS,
    facts=FACTS,
)  # fmt: skip
