"""Numbers with the word for what was counted."""


def counted(count: int, thing: str) -> str:
    """As in "1 letter", "2 letters"."""
    return f"{count} {thing}{'' if count == 1 else 's'}"
