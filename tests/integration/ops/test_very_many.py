"""More letters and messages than PostgreSQL takes parameters in a statement (65,535): a bad night of many uploads."""

import pytest
from sqlalchemy import Connection, text

from services.ingest.dead_letters import jobs, outcomes
from services.ingest.dead_letters.auditing import Run
from services.ingest.dead_letters.finding import Filter
from services.ops.resume import resume_others
from shared.contracts import PairJudged
from shared.database import transaction
from tests.integration.ops.letterbox import Letterbox

MANY = 66_000
SAID = text("""
INSERT INTO ingest.outbox (id, lane, type, sent_at, data)
SELECT gen_random_uuid(), 'comprehensive', 'PairJudged', now(), jsonb_build_object('item_id', gen_random_uuid())
FROM generate_series(1, :many)
""")


def multiplied(connection: Connection, table: str) -> None:
    """Have that many rows like the only one that there is."""
    schema, name = table.split(".")
    columns = text(
        "SELECT string_agg(quote_ident(column_name), ', ') FROM information_schema.columns "
        "WHERE table_schema = :schema AND table_name = :name AND column_name != 'id'"
    )
    others = connection.execute(columns, {"schema": schema, "name": name}).scalar_one()
    copies = f"INSERT INTO {table} (id, {others}) SELECT gen_random_uuid(), {others} FROM {table}"  # noqa: S608
    connection.execute(text(f"{copies}, generate_series(2, {MANY})"))


def test_very_many_letters_can_be_replayed_at_a_time(box: Letterbox) -> None:
    box.dies("mockup", b"{}")
    with transaction(box.engine) as connection:
        multiplied(connection, "ingest.dead_letters")

    ids, cutoff = jobs.chosen(box.engine, Filter())
    job = jobs.Job(box.engine, 8, Run("ana", "replay"), Filter(), ids, cutoff)

    assert job.foreseen()["services"] == {"mockup": MANY}
    assert job.takers() == {"ingest", "mockup"}
    with transaction(box.engine) as connection:
        assert outcomes.tally(connection, ids, 0) == outcomes.Tally(again=MANY)
        assert outcomes.became(connection, ids) == {"dead": MANY}
        assert outcomes.held(connection, ids) == 0


@pytest.mark.parametrize("dry_run", [True, False])
def test_very_many_last_words_can_be_owed_again(box: Letterbox, dry_run: bool) -> None:
    with transaction(box.engine) as connection:
        connection.execute(SAID, {"many": MANY})

    assert resume_others(box.engine, dry_run=dry_run)[PairJudged.__name__] == MANY

    assert box.rows("SELECT count(*) FROM ingest.outbox WHERE sent_at IS NULL") == [(0 if dry_run else MANY,)]
