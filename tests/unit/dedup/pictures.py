"""Hashed pictures to decide about."""

import hashlib
import random
from uuid import UUID, uuid4

from services.dedup.rule.known_picture import BITS
from services.dedup.tables import BAND_STARTS, BAND_WIDTHS
from shared.contracts import Blob, Destination, ImageHashed

ALGORITHM = "grey512-1"
DICE = random.Random(20_260_101)


def blob(text: str) -> Blob:
    """A reference to bytes that nobody looks at."""
    return Blob(sha256=hashlib.sha256(text.encode()).hexdigest(), size=len(text))


def random_hash() -> str:
    """256 random bits: about 128 away from every other."""
    return f"{DICE.getrandbits(256):064x}"


def flipped(hash256: str, *bits: int) -> str:
    """The hash with these bits turned over; bit 0 is the first."""
    value = int(hash256, 16)
    for bit in bits:
        value ^= 1 << (255 - bit)
    return f"{value:064x}"


def hashed(
    *,
    tenant: UUID,
    session: UUID | None = None,
    item: UUID | None = None,
    index: int = 0,
    generation: int = 0,
    filename: str = "rose.png",
    phash: str | None = None,
    dhash: str | None = None,
    upload: str | None = None,
    print_file: str | None = None,
    algorithm: str = ALGORITHM,
) -> ImageHashed:
    """A picture like no other, but for what is given."""
    item = item or uuid4()
    return ImageHashed(
        tenant_id=tenant,
        session_id=session or uuid4(),
        item_id=item,
        index=index,
        generation=generation,
        filename=filename,
        upload=blob(upload or f"upload {item}"),
        print_file=blob(print_file or f"print {item}"),
        canonical=blob(f"canonical {item}"),
        width=3800,
        height=1732,
        dpi=400,
        algorithm=algorithm,
        phash=phash or random_hash(),
        dhash=dhash or random_hash(),
        destination=Destination(shop="NorthCups", template="UVDTF 16oz"),
    )


def bands(hash256: str) -> tuple[int, ...]:
    """The hash cut into numbers as the database cuts it, first bits first."""
    value = int(hash256, 16)
    return tuple(
        (value >> (BITS - start - width)) & ((1 << width) - 1)
        for start, width in zip(BAND_STARTS, BAND_WIDTHS, strict=True)
    )
