"""Jobs run in lanes, and how partners answer is kept where every process sees it.

Jobs that wait are put into their lane. The column has a default, so PostgreSQL rewrites nothing, and a process of the
version before goes on writing jobs.
"""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

UNFINISHED = sa.text("finished_at IS NULL")
LANES = {
    "accounts.send_code": "now",
    "fulfilment.tell_arrived": "partner:sms",
    "payments.send_refund": "partner:stripe",
    "settlement.handle_event": "partner:stripe",
    "settlement.close": "partner:stripe",
    "settlement.return_mismatch": "partner:stripe",
    "settlement.reconcile": "partner:stripe",
    "settlement.close_overdue": "partner:stripe",
    "audit.seal": "bulk",
    "platform.prune": "bulk",
    "accounts.forget_old": "bulk",
}
# Jobs about a biller name the row they are about, and that row names the biller.
BILLER_OF = {
    "bills.fetch": ("look_up_id", "SELECT code FROM billers JOIN bill_look_ups ON billers.id = biller_id WHERE bill_look_ups.id = :id"),
    "bills.send": ("payment_id", "SELECT code FROM billers JOIN bill_payments ON billers.id = biller_id WHERE bill_payments.id = :id"),
}


def upgrade() -> None:
    op.create_table(
        "partners",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "state", sa.Enum("closed", "open", name="partnerstate", native_enum=False, create_constraint=True, length=32), nullable=False
        ),
        sa.Column("failures", sa.BigInteger(), nullable=False),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_probe_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partners")),
        sa.UniqueConstraint("name", name=op.f("uq_partners_name")),
    )
    op.add_column("jobs", sa.Column("lane", sa.Text(), server_default="soon", nullable=False))
    give_lanes()
    op.create_index("ix_jobs_lane", "jobs", ["lane", "run_at", "id"], sqlite_where=UNFINISHED, postgresql_where=UNFINISHED)


def give_lanes() -> None:
    connection = op.get_bind()
    change = sa.text("UPDATE jobs SET lane = :lane WHERE kind = :kind AND state IN ('queued', 'running')")
    for kind, lane in LANES.items():
        connection.execute(change, {"kind": kind, "lane": lane})
    for kind, (argument, question) in BILLER_OF.items():
        waiting = sa.text("SELECT id, arguments FROM jobs WHERE kind = :kind AND state IN ('queued', 'running')")
        for job in connection.execute(waiting, {"kind": kind}).all():
            arguments = json.loads(job.arguments) if isinstance(job.arguments, str) else job.arguments
            code = connection.execute(sa.text(question), {"id": arguments[argument]}).scalar()
            if code is not None:
                connection.execute(sa.text("UPDATE jobs SET lane = :lane WHERE id = :id"), {"lane": f"partner:biller:{code}", "id": job.id})


def downgrade() -> None:
    op.drop_index("ix_jobs_lane", "jobs")
    op.drop_column("jobs", "lane")
    op.drop_table("partners")
