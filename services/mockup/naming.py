"""What a rendered picture is called: after its design, so that one number finds all files of a product."""

import re

from shared.nas.names import safe_folder_name

# As for the designs themselves (contract, section 3.2): "UV", in capitals anywhere or at the start of a word
UV = re.compile(r"UV|\b[Uu][Vv]")


def picture_name(design_name: str, number: int, template: str, index: int, *, digital: bool = False) -> str:
    """'UV 100 UVDTF_16oz_100_BG_0.jpg' or 'Digital 100_BG_0.jpg'; the index counts the group's photographs from 0.

    The prefix is the one that the stored design got; a design of another name gets the one its template would give.
    """
    if digital:
        return f"Digital {number:03}_BG_{index}.jpg"
    first = design_name.split(" ", 1)[0].upper()
    prefix = first if first in {"UV", "DTF"} else "UV" if UV.search(template) else "DTF"
    underscored = "_".join(safe_folder_name(template).split())
    return f"{prefix} {number:03} {underscored}_{number:03}_BG_{index}.jpg"
