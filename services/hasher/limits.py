"""What a file may cost us, and the refusals by size alone, before any decoder sees it."""

from dataclasses import dataclass

from services.hasher.rejection import Rejected, size_in_words


@dataclass(frozen=True)
class Limits:
    """`min_side` is asked of the longer side of what is visible; `max_seconds` are for decoding, hashing, encoding."""

    max_bytes: int = 500_000_000
    max_pixels: int = 200_000_000
    max_side: int = 30_000
    min_side: int = 10
    max_seconds: float = 300.0


def check_bytes(size: int, limits: Limits) -> None:
    """Refuse a file for its length.

    Raises:
        Rejected: it is empty or too long.
    """
    if size == 0:
        raise Rejected("empty", "the file is empty (0 bytes); export it again")
    if size > limits.max_bytes:
        has, most = size_in_words(size), size_in_words(limits.max_bytes)
        raise Rejected("too_large", f"the file has {has}, at most {most} are allowed; export it smaller")


def check_side(width: int, height: int, limits: Limits) -> None:
    """Refuse a picture for the size its header claims, in pixels.

    Raises:
        Rejected: it has more than may be decoded.
    """
    if width * height > limits.max_pixels:
        raise too_many_pixels(limits)
    if max(width, height) > limits.max_side:
        raise Rejected(
            "too_many_pixels",
            f"the picture is {width} x {height} px, no side may exceed {limits.max_side}; export it at print size",
        )


def too_many_pixels(limits: Limits) -> Rejected:
    """The refusal of a picture that would not fit into memory."""
    megapixels = f"{limits.max_pixels / 1e6:.0f} megapixels"
    return Rejected("too_many_pixels", f"its header claims more than {megapixels}; export it at print size")
