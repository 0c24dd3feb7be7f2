"""Names and paths that survive SMB, NTFS, ext4 and S3 alike. Pure.

Sources: Microsoft, "Naming Files, Paths, and Namespaces"; Unicode, DerivedCoreProperties, Default_Ignorable_Code_Point;
runs against Samba, which stores 'CON' and 'a.' though no Windows client can open them.
"""

import re
import unicodedata

from shared.nas.errors import BadPath

# A folder's name leaves room in a file's stem for "DTF ", twice a number and the blanks between them.
FOLDER_CHARS, FOLDER_BYTES = 60, 176
# 260 is Windows' limit; the rest is for the share ("\\nas\Graphics\") and for a part file's longer name.
PATH_CHARS, PART_BYTES = 240, 240
UNNAMED = "unnamed"

# Beside letters and digits. What follows the blank is legal everywhere and common in shop and template names
# ("Kid's Cup (L)"), whose folders an old system has made already.
KEPT = frozenset("._- '()&+,")
RESERVED = frozenset({"CON", "PRN", "AUX", "NUL", *(f"{port}{n}" for port in ("COM", "LPT") for n in range(1, 10))})
# Shown as nothing, yet neither control nor format characters by category: joiners, fillers, variation selectors.
INVISIBLE = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")


def safe_folder_name(text: str) -> str:
    """The text as a folder's name: unchanged if it is one already, never empty."""
    return safe_name(text, FOLDER_CHARS, FOLDER_BYTES)


def collision_key(name: str) -> str:
    """Equal for names that some file system takes for one: 'Case.PNG' and 'case.png', an accent composed or not."""
    return unicodedata.normalize("NFC", name).casefold()


def checked(path: str, *, new: bool = False) -> str:
    """The path itself, if it is a plain one below a NAS root: '/' between its parts and none of them '.' or '..'.

    A `new` path is also held to the lengths above; an old file's may be as long as its file system allows.

    Raises:
        BadPath: with the reason in words.
    """
    if reason := _fault(path, new=new):
        shown = path if len(path) <= PATH_CHARS else f"{path[:40]}...{path[-40:]}"
        raise BadPath(f"{shown!a} is no path on the NAS: {reason}")
    return path


def _fault(path: str, *, new: bool) -> str | None:
    if not path or path.startswith("/") or re.match("[A-Za-z]:", path):
        return "it must be relative to the NAS folder"
    if "\\" in path or any(unicodedata.category(character) in ("Cc", "Cs") for character in path):
        return "rename it without backslashes or control characters"
    parts = path.split("/")
    if any(part in ("", ".", "..") for part in parts):
        return "empty parts, '.' and '..' are not allowed"
    if new and len(path) > PATH_CHARS:
        return f"it has {len(path)} characters, {PATH_CHARS} are allowed"
    if new and any(len(part.encode()) > PART_BYTES for part in parts):
        return f"a name in it takes more than {PART_BYTES} bytes"
    return None


def safe_name(text: str, chars: int, octets: int) -> str:
    """The text as a name of at most so many characters and bytes of UTF-8."""
    composed = unicodedata.normalize("NFC", INVISIBLE.sub("", text))
    # what was removed may have stood between a letter and its accent, so compose again
    mapped = unicodedata.normalize("NFC", "".join(map(_mapped, composed)))
    name = _cut(mapped.strip(" ."), chars, octets) or UNNAMED
    if name.split(".")[0].rstrip(" ").upper() in RESERVED:
        name = _cut(f"_{name}", chars, octets)
    return name


def _mapped(character: str) -> str:
    category = unicodedata.category(character)
    if character in KEPT or category[0] in "LM" or category == "Nd":
        return character
    if category[0] == "Z" or character in "\t\n\v\f\r":
        return " "
    return "" if category in ("Cc", "Cf") else "-"


def _cut(name: str, chars: int, octets: int) -> str:
    return name[:chars].encode()[:octets].decode(errors="ignore").rstrip(" .")
