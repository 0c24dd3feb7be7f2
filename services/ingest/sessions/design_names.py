"""What a design is called to its seller: as in dedup's reasons, so that no two lines name it two ways. Pure."""


def called(filename: str, name: str | None) -> str:
    """The file that was sent, and, of what is stored, the name that its print got: "hub.png (UV 200 Mug_200.png)"."""
    return f"{filename} ({name})" if name and name != filename else filename


STORED_SINCE = {
    " in another upload that is still in work": " from an earlier upload",
    " in this upload": " in this upload",
}
"""Where dedup says that an original is, which is not stored yet: and what it says once that is."""


def stored_since(reason: str, filename: str, name: str) -> str:
    """A duplicate's reason from before its original was stored, as dedup would give it now."""
    for before, now in STORED_SINCE.items():
        if f"{filename}{before}" in reason:
            return reason.replace(f"{filename}{before}", f"{called(filename, name)}{now}", 1)
    return f"{reason}; {filename} is stored as {name}"  # another release's words
