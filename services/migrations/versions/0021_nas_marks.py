"""Which mark the NAS at each address had, so that another one there is noticed after a restart, too."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.create_table(
        "nas_marks",
        sa.Column("url", sa.Text(), primary_key=True),
        sa.Column("mark", sa.Text(), nullable=False, comment="the id in .presswork-nas"),
        schema="storage",
    )
