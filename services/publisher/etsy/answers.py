"""What we read of Etsy's answers. An answer that lacks it is none; what else is in it is ignored."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator


class Answer(BaseModel):
    """A part of an answer."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Money(Answer):
    """An amount in parts of a currency's unit."""

    amount: int
    divisor: int = Field(ge=1)
    currency_code: str

    @property
    def units(self) -> float:
        """In units of the currency."""
        return self.amount / self.divisor


class ListingAnswer(Answer):
    """A listing."""

    listing_id: int = Field(ge=1)
    state: str
    title: str
    quantity: int
    created_timestamp: int
    url: str | None = None
    price: Money


class ListingsAnswer(Answer):
    """A page of listings."""

    count: int
    results: tuple[ListingAnswer, ...]


class PictureAnswer(Answer):
    """A picture."""

    listing_image_id: int = Field(ge=1)
    rank: int


class PicturesAnswer(Answer):
    """A listing's pictures."""

    count: int
    results: tuple[PictureAnswer, ...]


class FileAnswer(Answer):
    """A file of a digital listing."""

    listing_file_id: int = Field(ge=1)
    filename: str
    size_bytes: int


class FilesAnswer(Answer):
    """A listing's files."""

    count: int
    results: tuple[FileAnswer, ...]


class ProductAnswer(Answer):
    """A product of a listing."""

    sku: str


class InventoryAnswer(Answer):
    """A listing's products."""

    products: tuple[ProductAnswer, ...]


class MeAnswer(Answer):
    """Whose token it is."""

    user_id: int = Field(ge=1)
    shop_id: int = Field(ge=1)


class ShopAnswer(Answer):
    """A shop."""

    shop_id: int = Field(ge=1)
    shop_name: str
    currency_code: str = "USD"


class RowsAnswer(Answer):
    """What a shop has to choose from; each kind has its own fields."""

    count: int = 0
    results: tuple[dict[str, Any], ...] = ()

    @field_validator("results", mode="before")
    @classmethod
    def _none_is_empty(cls, given: object) -> object:
        return () if given is None else given


class TokensAnswer(Answer):
    """New tokens."""

    access_token: str = Field(min_length=1, repr=False)
    refresh_token: str = Field(min_length=1, repr=False)
    expires_in: int = Field(gt=0)
