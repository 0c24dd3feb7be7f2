"""Who changes several dead letters locks them in the order of their ids, whatever it changes and why."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import Engine, Executable, insert, select, text, update

from services.ingest.dead_letter_tables import dead_letters
from services.ingest.dead_letters import outcomes, purging, shelving
from services.ingest.dead_letters.auditing import Run
from services.ingest.dead_letters.exporting import exported
from services.ingest.dead_letters.finding import Filter
from services.ingest.sessions.lifecycle.records import Session
from services.ingest.sessions.tables import items
from shared.database import transaction
from tests.integration.ingest.test_lock_order import between, engine, row
from tests.integration.ops.letterbox import Letterbox, dead

__all__ = ["engine"]
WANTED = Filter(service="storage")
REPLAY = UUID(int=7)


def letters(*ids: UUID) -> Sequence[Executable]:
    return [row(dead_letters.c.id, letter_id) for letter_id in sorted(ids)]


def two_letters(box: Letterbox) -> tuple[Session, list[UUID]]:
    """About two files of an upload. The letter that comes first is about the file that comes last."""
    session = box.submitted("a.png", "b.png")
    by_item = sorted(range(2), key=lambda index: box.about(session, index)["item_id"])
    found = [dead("storage", box.accepted(session, index)) for index in by_item]
    while found[0].id < found[1].id:
        found[0] = dead("storage", box.accepted(session, by_item[0]))
    return session, [box.dies_of(letter) for letter in found]


def test_what_is_tried_again_locks_its_letters_in_the_order_of_all_who_change_letters(
    engine: Engine, box: Letterbox
) -> None:
    session, ids = two_letters(box)
    first, last = letters(*ids)
    between(engine, first, lambda: box.sessions.retry(session, "ana"), last)
    assert [box.letter(letter_id)["status"] for letter_id in ids] == ["replaying"] * 2


def test_letters_whose_files_have_ended_are_locked_in_order(engine: Engine, box: Letterbox) -> None:
    session, ids = two_letters(box)
    with transaction(engine) as connection:
        connection.execute(update(items).where(items.c.session_id == session.id).values(state="stored"))
    last_is_first_in_the_table(engine, ids)
    first, last = letters(*ids)
    assert between(engine, first, lambda: outcomes.settle(engine), last) == 2


def test_letters_that_end_in_different_ways_are_locked_apart(engine: Engine, box: Letterbox) -> None:
    """One is resolved by an early statement, one by a late one; the order of the two is not that of their ids."""
    _, ids = two_letters(box)
    low, high = sorted(ids)
    with transaction(engine) as connection:
        low_item, high_item = (box.letter(letter_id)["item_id"] for letter_id in (low, high))
        connection.execute(update(items).where(items.c.id == high_item).values(state="stored"))
        replaying = {"status": "replaying", "target_generation": 0}
        connection.execute(update(dead_letters).where(dead_letters.c.item_id == low_item).values(**replaying))
    first, last = letters(*ids)
    assert between(engine, first, lambda: outcomes.settle(engine), last) == 2


def purged(engine: Engine, _: Letterbox) -> None:
    digest = purging._digest(exported(engine, WANTED))
    assert purging.purge(engine, WANTED, Run("ana", "purge"), "storage 2", digest) == 2


def swept(engine: Engine, _: Letterbox) -> None:
    assert purging.sweep(engine, timedelta(0)) == 2


def noted(engine: Engine, _: Letterbox) -> None:
    assert shelving.note(engine, WANTED, Run("ana", "note"), "seen") == 2


def restored(engine: Engine, _: Letterbox) -> None:
    assert shelving.restore(engine, WANTED, Run("ana", "restore")) == 2


def died_again(_: Engine, box: Letterbox) -> None:
    session = box.submitted("c.png")
    box.archived("storage", box.accepted(session, 0), x_replay_id=str(REPLAY))


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (purged, "dead"),
        (swept, "resolved"),
        (noted, "dead"),
        (restored, "discarded"),
        (died_again, "superseded"),
    ],
)
def test_whoever_changes_several_letters_locks_them_in_order(
    engine: Engine, box: Letterbox, change: Callable[[Engine, Letterbox], None], status: str
) -> None:
    _, ids = two_letters(box)
    with transaction(engine) as connection:
        connection.execute(update(dead_letters).values(status=status, replay_id=REPLAY))
    last_is_first_in_the_table(engine, ids)
    first, last = letters(*ids)
    between(engine, first, lambda: change(engine, box), last)


def last_is_first_in_the_table(engine: Engine, ids: Sequence[UUID]) -> None:
    """As PostgreSQL finds rows, if nobody says in which order. It is the newest, too."""
    with transaction(engine) as connection:
        table = connection.execute(select(dead_letters).where(dead_letters.c.id.in_(ids))).mappings().all()
        connection.execute(text("DELETE FROM ingest.dead_letters"))
        for place, each in enumerate(sorted(table, key=lambda each: each["id"], reverse=True)):
            kept_at = each["kept_at"] - timedelta(minutes=place)
            connection.execute(insert(dead_letters).values(**{**each, "kept_at": kept_at}))
