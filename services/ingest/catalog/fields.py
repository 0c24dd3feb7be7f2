"""The kinds of values that clients may send. What PostgreSQL or JSON can't hold is refused here, in words."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

MOST_INCHES = 1000
MOST_INT = 2**31 - 1
MOST_BIGINT = 2**63 - 1
DIGITS = len(str(MOST_BIGINT))


def storable(text: str) -> str:
    """The text, unless PostgreSQL or UTF-8 would refuse it."""
    if "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("it holds a NUL or half a character, which can't be stored; type it anew")
    return text


def _none_if_blank(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


def _joined(value: object) -> object:
    """['cup', ' wrap '] and 'cup, wrap' are both 'cup,wrap'."""
    parts = value.split(",") if isinstance(value, str) else value
    if isinstance(parts, list) and all(isinstance(part, str | int) for part in parts):
        return ",".join(filter(None, (str(part).strip() for part in parts)))
    return value


def _whole_numbers(joined: str | None) -> str | None:
    parts = joined.split(",") if joined else []
    if not all(part.isascii() and part.isdigit() and len(part) < DIGITS for part in parts):
        raise ValueError(f"they must be whole numbers of less than {DIGITS} digits, separated by commas")
    return joined


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


Text = Annotated[str, StringConstraints(max_length=20_000), AfterValidator(storable)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), AfterValidator(storable)]
Word = Annotated[str, StringConstraints(strip_whitespace=True, max_length=100), AfterValidator(storable)]
Joined = Annotated[Text | None, BeforeValidator(_joined)]
JoinedNumbers = Annotated[Joined, AfterValidator(_whole_numbers)]

# Forms send an emptied number field as "".
MaybeFloat = Annotated[
    Annotated[float, Field(ge=0, allow_inf_nan=False)] | None,
    BeforeValidator(_none_if_blank),
]
MaybeInt = Annotated[Annotated[int, Field(ge=0, le=MOST_INT)] | None, BeforeValidator(_none_if_blank)]
MaybeId = Annotated[Annotated[int, Field(ge=0, le=MOST_BIGINT)] | None, BeforeValidator(_none_if_blank)]

Inches = Annotated[float, Field(gt=0, le=MOST_INCHES, allow_inf_nan=False)]
Spacing = Annotated[float, Field(ge=0, le=MOST_INCHES, allow_inf_nan=False)]
Dpi = Annotated[int, Field(gt=0, le=10_000)]
StartingNumber = Annotated[int, Field(ge=0, le=99_999_999)]  # names have nine digits at most, and numbers go on from it

Instant = Annotated[datetime, AfterValidator(_utc)]
Email = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=254, pattern=r"^[^@\s]+@[^@\s]+$"),
    AfterValidator(storable),
]
