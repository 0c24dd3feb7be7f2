"""File names as clients send them, made fit for people to read. Nothing uses them as a path. Pure."""

import unicodedata

MAX_CHARACTERS = 255
END_CHARACTERS = 50

JOINERS = "\u200c\u200d"
"""Invisible, but Persian, Hindi and many emoji are misspelt without them."""


def clean(raw: bytes) -> str:
    """The name without what can't be seen; a very long one without its middle, so that its ending still shows.

    Bidirectional controls are among what can't be seen: with one, `gnp.exe` reads `exe.png`.
    """
    text = "".join(_shown(character) for character in raw.decode(errors="replace"))
    if len(text) > MAX_CHARACTERS:
        text = f"{text[: MAX_CHARACTERS - END_CHARACTERS - 3]}...{text[-END_CHARACTERS:]}"
    return text or "unnamed"


def _shown(character: str) -> str:
    if character.isprintable() or character in JOINERS:
        return character
    return " " if unicodedata.category(character) == "Zs" else "\ufffd"
