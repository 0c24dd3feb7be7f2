"""Which shop folders lie on the NAS: one that no account has is not for whoever registers with its name."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.create_table(
        "nas_folders",
        sa.Column("folder_key", sa.Text(), nullable=False, comment="folders that a NAS takes for one"),
        sa.Column("folder", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("folder_key"),
        schema="ingest",
        comment="what lay on the NAS at the last init: who registers gets none of these that no account has",
    )
