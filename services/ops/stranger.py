"""Is this NAS the one on which the designs lie that the database says are stored? For a start with another address."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from services.storage.settings import Settings

LOOKED_AT = 20
"""The newest designs: one that is there is proof enough, and somebody may have tidied up some. More of them would only
make the start slower where it is another NAS, as each is asked for."""


def refuse(settings: "Settings", taken_by: str, *, unmarked: bool) -> None:
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
