"""Numbers that were given out elsewhere: none of them is given again. Used inside a transaction."""

from collections.abc import Mapping

from sqlalchemy import Connection, delete, func
from sqlalchemy.dialects.postgresql import insert

from services.storage.tables import counters, freed_numbers


def reserve(connection: Connection, taken: Mapping[str, int]) -> None:
    """Let each sequence (`placing.counter_key`) go on behind the number that is taken, if it has not come so far."""
    for counter_key, number in sorted(taken.items()):  # in one order, as whoever gives numbers out locks them
        new = insert(counters).values(counter_key=counter_key, next_number=number + 1)
        later = func.greatest(counters.c.next_number, new.excluded.next_number)
        connection.execute(new.on_conflict_do_update(index_elements=["counter_key"], set_={"next_number": later}))
        given_back = (freed_numbers.c.counter_key == counter_key, freed_numbers.c.number <= number)
        connection.execute(delete(freed_numbers).where(*given_back))  # a design may have it after all
