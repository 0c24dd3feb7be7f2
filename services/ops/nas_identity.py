"""Is this NAS the one on which the designs lie that the database says are stored? For a start."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from services.storage.settings import Settings
    from services.storage.shops import Nases
    from shared.nas import Nas

OF_ONE_NAS = 1000
"""Of the newest designs of all NASes so many are asked which of them lie on one."""

LOOKED_AT = 20
"""The newest designs: one that is there is proof enough, and somebody may have tidied up some. More of them would only
make the start slower where it is another NAS, as each is asked for."""


def refuse_without_designs(settings: "Settings", taken_by: str, *, unmarked: bool) -> None:
    """Refuse the common NAS if designs are stored and none of the newest lies there: they are on another one.

    A shop's own NAS is not looked at: one that is away stops nobody's start. An `unmarked` NAS is one to be taken into
    use, which has nothing of ours.

    Raises:
        NasUnavailable: with what to do.
    """
    from services.storage.stored_files import newest_files
    from shared.database import engine_of
    from shared.nas.errors import NasUnavailable

    engine, nases = engine_of(settings.database_url), settings.nases()
    try:
        paths = [path for path in newest_files(engine, LOOKED_AT) if nases.of(path) is nases.common]
        if not paths or any(nases.common.stat(path) for path in paths):
            return
        lies = "do not lie there"
    except NasUnavailable as error:
        lies = "do not lie there" if unmarked else f"can't be looked for there ({error})"
    finally:
        engine.dispose()
        nases.close()
    raise NasUnavailable(
        f"the NAS is {settings.nas_url}, and designs that are stored ({paths[0]!r}, for one) {lies}: set NAS_URL to "
        f"where they are, or, if new ones are to go there and the old ones may be missing: {taken_by}"
    )


def remember(engine: "Engine", url: str, mark: str) -> None:
    """Note which NAS is at this address."""
    from sqlalchemy.dialects.postgresql import insert

    from services.storage.tables import nas_marks
    from shared.database import transaction

    noted = insert(nas_marks).values(url=url, mark=mark)
    with transaction(engine) as connection:
        connection.execute(noted.on_conflict_do_update(index_elements=["url"], set_={"mark": mark}))


def refuse_another(engine: "Engine", nases: "Nases", nas: "Nas", url: str, mark: str) -> None:
    """Refuse a NAS at an address where another one was, if designs are stored and none of the newest lies there.

    One that got a new mark, or was copied, has them. What is not refused is remembered.

    Raises:
        NasUnavailable: with what to do, but for the command by which it is taken into use.
    """
    from sqlalchemy import select

    from services.storage.stored_files import newest_files
    from services.storage.tables import nas_marks
    from shared.database import transaction
    from shared.nas.errors import NasUnavailable

    with transaction(engine) as connection:
        known = connection.execute(select(nas_marks.c.mark).where(nas_marks.c.url == url)).scalar_one_or_none()
    if known not in (None, mark):
        paths = [path for path in newest_files(engine, OF_ONE_NAS) if nases.of(path) is nas][:LOOKED_AT]
        if paths and not any(nas.stat(path) for path in paths):
            raise NasUnavailable(
                f"another NAS is at {url} than before (its mark is {mark[:8]}, it was {known[:8]}), and designs that "
                f"are stored ({paths[0]!r}, for one) do not lie there: mount the right one, or, if new ones are to go "
                "there and the old ones may be missing"
            )
    remember(engine, url, mark)
