"""Dunning of invoices."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    with op.batch_alter_table("invoices") as invoices:
        invoices.add_column(sa.Column("customer_note", sa.Text(), nullable=True))
        invoices.add_column(
            sa.Column("dunning_level", sa.Integer(), nullable=False, server_default="0")
        )


def downgrade() -> None:
    """Drop the columns."""
    with op.batch_alter_table("invoices") as invoices:
        invoices.drop_column("dunning_level")
        invoices.drop_column("customer_note")
