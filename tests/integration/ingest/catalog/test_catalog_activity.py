"""What the other services hear when a design goes out of use or comes back: each real change once, counted."""

from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import select

from services.ingest.sessions.serving.designs import DesignChanges, Designs
from services.ingest.sessions.tables import outbox
from shared.database import transaction
from tests.integration.ingest.catalog.test_catalog_designs import stored
from tests.integration.ingest.catalog.world import Caller, World


def told(world: World) -> list[tuple[bool, int]]:
    """The activity and revision of each change that was told, by revision."""
    rows = select(outbox.c.data).where(outbox.c.type == "DesignActivityChanged")
    with world.engine.connect() as connection:
        found = connection.execute(rows).scalars().all()
    return sorted(((change["is_active"], change["revision"]) for change in found), key=lambda change: change[1])


def test_each_change_is_told_with_the_next_revision(world: World, ana: Caller) -> None:
    design_id = stored(world.engine, ana)
    assert ana("DELETE", f"/designs/delete/{design_id}").status_code == 200
    assert ana("PUT", f"/designs/update/{design_id}", json={"is_active": True}).status_code == 200
    assert ana("PUT", f"/designs/update/{design_id}", json={"is_active": False}).status_code == 200
    assert told(world) == [(False, 1), (True, 2), (False, 3)]


def test_what_changes_nothing_is_not_told(world: World, ana: Caller, ben: Caller) -> None:
    design_id = stored(world.engine, ana)
    for body in ({"is_active": True}, {"description": "a rose"}, {"is_active": None}):
        assert ana("PUT", f"/designs/update/{design_id}", json=body).status_code == 200
    assert ben("DELETE", f"/designs/delete/{design_id}").status_code == 404
    assert told(world) == []
    assert ana("DELETE", f"/designs/delete/{design_id}").status_code == 200
    assert ana("DELETE", f"/designs/delete/{design_id}").status_code == 404
    assert told(world) == [(False, 1)]


def test_calls_at_the_same_time_count_a_change_once(world: World, ana: Caller) -> None:
    design_id = stored(world.engine, ana)

    def taken_out(_: int) -> int | None:
        with transaction(world.engine) as connection:
            _, change = Designs(connection, ana.id, "").change(design_id, DesignChanges(is_active=False))
            return change.revision if change else None

    with ThreadPoolExecutor(4) as threads:
        revisions = list(threads.map(taken_out, range(4)))
    assert sorted(revisions, key=str) == [1, None, None, None]
