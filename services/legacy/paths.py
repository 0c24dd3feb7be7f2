"""Where the old system's files lie, from what it wrote down: paths on the NAS, on its disk, or from a shop. Pure."""

import re
from collections.abc import Sequence
from functools import lru_cache

from services.storage.comparing import LONGEST_PATH
from services.storage.placing import design_folder
from shared.nas.errors import BadPath
from shared.nas.names import checked, collision_key, safe_folder_name

NUMBER = re.compile(r"(?:UV|DTF|Digital)\s+0*([0-9]{1,9})\b", re.IGNORECASE)
MOST_NUMBER = 2**31 - 2


def below_root(path: str | None, roots: Sequence[str], shops: Sequence[str]) -> str | None:
    """The path below the NAS root: 'NorthCups/UVDTF 16oz/UV 100 UVDTF_16oz_100.png'; None if it can't be told.

    On its own disk the old system kept the same folders below another root. `shops` are the folders that the owner's
    files may lie in: a path elsewhere is taken from the first of them that is in it.
    """
    text = (path or "").strip()
    for root in sorted(roots, key=len, reverse=True):
        start = f"{root.rstrip('/')}/"
        if root.strip("/") and text.startswith(start):
            return _plain(text.removeprefix(start))
    parts = text.strip("/").split("/")
    for place, part in enumerate(parts[:-1]):
        if part in shops:
            return _plain("/".join(parts[place:]))
    return None


def folder_of(path: str) -> str:
    """The shop's folder in a path below the root."""
    return path.partition("/")[0]


def template_of(path: str) -> str | None:
    """The product's folder in a design's path: 'UVDTF 16oz'."""
    _, *between, _ = path.split("/")
    if between and between[0].casefold() == "digital":
        between = between[1:]
    return between[0] if between else None


def is_digital(path: str) -> bool:
    """Whether a path is that of a digital design."""
    return path.partition("/")[2].casefold().startswith("digital/")


@lru_cache(maxsize=10_000)  # asked for each design of all products
def template_key(name: str) -> str:
    """Equal for products whose designs would share a folder."""
    return collision_key(safe_folder_name(name))


def sequence_key(shop_folder: str, template: str, *, digital: bool) -> str:
    """The sequence of numbers that an old design's is one of; the same as storage's."""
    return collision_key(design_folder(shop_folder, template, digital=digital))


def number_in(name: str) -> int | None:
    """The number in a design's name: 906 in 'UV 906 UVDTF_16oz_906.png'."""
    found = NUMBER.match(name.strip())
    number = int(found[1]) if found else None
    return number if number is not None and number <= MOST_NUMBER else None


def _plain(path: str) -> str | None:
    """The path, if there can be a design's file at it."""
    try:
        return checked(path) if "/" in path and len(path.encode()) <= LONGEST_PATH else None
    except BadPath:
        return None
