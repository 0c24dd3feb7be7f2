"""What an import of very many designs sends to the database."""

from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.engine.interfaces import CacheStats

from tests.integration.legacy.conftest import Import
from tests.integration.legacy.old import Old

ROWS = 3


def test_a_batch_of_designs_is_one_statement_that_is_put_together_once(old: Old, run: Import) -> None:
    for name in ("ana", "ben"):  # a batch for each
        owner = old.user(name, f"{name}@example.com", shop_name=name)
        for number in range(ROWS):
            old.design(f"UV 10{number} {name}_10{number}.png", owner)
    told: dict[str, list[CacheStats]] = {"dedup.hashes": [], "ingest.imported": []}

    def listen(connection: Any, cursor: Any, words: str, parameters: Any, context: Any, many: bool) -> None:
        for table, found in told.items():
            if words.startswith(f"INSERT INTO {table} ") and words.count("%(tenant_id") + words.count("%(kind") == ROWS:
                found.append(context.cache_hit)

    event.listen(Engine, "before_cursor_execute", listen)
    try:
        assert run().exit_code == 0
    finally:
        event.remove(Engine, "before_cursor_execute", listen)
    for table, found in told.items():
        assert len(found) == len(("ana", "ben")), table
        assert found[-1] is CacheStats.CACHE_HIT, table
