"""What a design is called to its seller: as in dedup's reasons, so that no two lines name it two ways. Pure."""


def called(filename: str, name: str | None) -> str:
    """The file that was sent, and, of what is stored, the name that its print got: "hub.png (UV 200 Mug_200.png)"."""
    return f"{filename} ({name})" if name and name != filename else filename
