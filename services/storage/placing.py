"""Where a file goes on the NAS and what it is called. Pure.

The layout and the names are those that the sellers' tools, and their eyes, know from the old system.
"""

import re
import unicodedata
from functools import lru_cache
from uuid import UUID

from shared.nas.names import checked, collision_key, safe_folder_name

# The old system looked for "UV", in capitals, anywhere in the name; other spellings count at the start of a word only,
# so that "Souvenir" and "Louver" stay DTF.
UV = re.compile(r"UV|\b[Uu][Vv]")
PHYSICAL_NAME = re.compile(r"(?:UV|DTF) ([0-9]{3,9}) (.+)_([0-9]{3,9})\.png", re.IGNORECASE)
DIGITAL_NAME = re.compile(r"Digital ([0-9]{3,9})\.png", re.IGNORECASE)


def design_name(template: str, number: int, *, digital: bool = False) -> str:
    """'UV 100 UVDTF_16oz_100.png', 'DTF 007 Adult_Tee_007.png', 'Digital 100.png'.

    Etsy titles begin with the first two words, and orders find their print file by them.
    """
    if digital:
        return f"Digital {number:03}.png"
    prefix = "UV" if UV.search(template) else "DTF"
    return f"{prefix} {number:03} {_underscored(template)}_{number:03}.png"


def number_of(name: str, template: str, *, digital: bool = False) -> int | None:
    """The number in a name that `design_name` (or the old system) gave, in whatever case; None for any other file."""
    if digital:
        found = DIGITAL_NAME.fullmatch(unicodedata.normalize("NFC", name))
        return _canonical(found[1]) if found else None
    # either prefix: the number is what must not come twice
    number, product = _physical(name) or (None, None)
    return number if product == product_key(template) else None


def product_in(name: str) -> str | None:
    """Which product a design's file name says that it is of: the `product_key` of a template, or None."""
    found = _physical(name)
    return found[1] if found else None


@lru_cache(maxsize=10_000)  # asked for each of very many names of one product
def product_key(template: str) -> str:
    """Equal for templates whose designs would have the same names."""
    return collision_key(_underscored(template))


@lru_cache(maxsize=1_000)  # asked for many times for each design of a product
def design_folder(shop: str, template: str, *, digital: bool = False) -> str:
    """'NorthCups/UVDTF 16oz', or 'NorthCups/Digital/UVDTF 16oz'."""
    parts = (shop, "Digital", template) if digital else (shop, template)
    return "/".join(map(safe_folder_name, parts))


@lru_cache(maxsize=1_000)
def counter_key(shop: str, template: str, *, digital: bool = False) -> str:
    """What one sequence of numbers belongs to: equal whenever two templates would share a folder on some NAS."""
    return collision_key(design_folder(shop, template, digital=digital))


def staging_path(folder: str, item_id: UUID, generation: int) -> str:
    """Where a verified file waits for its number: hidden, in the folder it will be renamed in.

    Each generation has its own, so that nobody removes or replaces a later one's.
    """
    return f"{folder}/.{item_id}.{generation}.staged"


def damaged_path(folder: str, item_id: UUID) -> str:
    """Where a file that the NAS has damaged is kept, hidden."""
    return f"{folder}/.{item_id}.damaged"


def mockup_folder(shop: str, template: str) -> str:
    """'NorthCups/Mockups/UVDTF 16oz': the rendered product pictures."""
    return f"{safe_folder_name(shop)}/Mockups/{safe_folder_name(template)}"


def file_path(shop: str, path: str) -> str:
    """A path that was given below the shop's folder (`StoreFile.path`).

    Raises:
        BadPath: it would lead out of that folder.
    """
    return f"{safe_folder_name(shop)}/{checked(path)}"


def _physical(name: str) -> tuple[int, str] | None:
    """The number and the product's key in the name of a physical design."""
    found = PHYSICAL_NAME.fullmatch(unicodedata.normalize("NFC", name))
    number = _canonical(found[1]) if found and found[1] == found[3] else None
    return (number, product_key(found[2])) if found and number is not None else None


def _underscored(template: str) -> str:
    return "_".join(safe_folder_name(template).split())


def _canonical(digits: str) -> int | None:
    number = int(digits)
    return number if digits == f"{number:03}" else None
