"""What is made of a file's bytes: the answers of the process that decodes."""

from shared.contracts import Blob, Hash256, Part


class Result(Part):
    """Everything in `ImageHashed` that does not depend on who sent the bytes as what."""

    print_file: Blob
    canonical: Blob
    width: int
    height: int
    dpi: int
    artwork: tuple[int, int] | None = None
    algorithm: str
    phash: Hash256
    dhash: Hash256
    format: str
    warnings: tuple[str, ...] = ()


class Looks(Part):
    """What a picture looks like: enough to recognise it by."""

    canonical: Blob
    algorithm: str
    phash: Hash256
    dhash: Hash256
