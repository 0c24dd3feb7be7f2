"""The format of a mockup template: one JSON file beside its pictures says where and how a photograph shows a design.

docs/mockups.md describes it with an example. Coordinates are pixels of the photograph, counted from its top left edge.
A mask that was drawn in the web editor is a print area of this format with nothing but defaults.
"""

import re
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.mockup.faults import NotRenderable
from shared.contracts import Blob, Mask

FILE_NAME = "presswork-mockup.json"
MOST_POINTS = 25  # of a mesh, each way

Coordinate = Annotated[float, Field(allow_inf_nan=False, ge=-1e6, le=1e6)]
Point = tuple[Coordinate, Coordinate]
Corners = tuple[Point, Point, Point, Point]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Length = Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)]
Name = Annotated[str, Field(min_length=1, max_length=100)]
PictureName = Annotated[str, Field(pattern=r"^[^./\\\x00-\x1f][^/\\\x00-\x1f]{0,199}$")]
PROPORTIONS = r"^[1-9]\d?:[1-9]\d?$"
Proportions = Annotated[str, Field(pattern=PROPORTIONS, description="width to height: 4:3, 1:1")]
Colour = Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]


class Facts(BaseModel):
    """A part of a template. A misspelt name is an error: it would otherwise be a setting without effect."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Rectangle(Facts):
    """Upright: left, top, right, bottom."""

    kind: Literal["rectangle"]
    box: tuple[Coordinate, Coordinate, Coordinate, Coordinate]


class Polygon(Facts):
    """Any outline; the design is fitted to the upright box around it and cut off at the outline."""

    kind: Literal["polygon"]
    points: Annotated[tuple[tuple[float, float], ...], Field(min_length=3, max_length=1000)]


class Quad(Facts):
    """A flat rectangle seen in perspective: its corners top left, top right, bottom right, bottom left."""

    kind: Literal["quad"]
    corners: Corners


class Cylinder(Facts):
    """A print round a mug or bottle: its corners as of a quad, and the middles of its upper and lower edge.

    `angle` is how far it reaches round the cylinder, in degrees.
    """

    kind: Literal["cylinder"]
    corners: Corners
    top: Point
    bottom: Point
    angle: Annotated[float, Field(ge=5, le=170, allow_inf_nan=False)] = 90


class Mesh(Facts):
    """A surface of any form, by points on it: rows from top to bottom, their points from left to right.

    They lie in equal steps over the print, however far apart they are in the photograph.
    """

    kind: Literal["mesh"]
    rows: Annotated[
        tuple[Annotated[tuple[Point, ...], Field(min_length=2, max_length=MOST_POINTS)], ...],
        Field(min_length=2, max_length=MOST_POINTS),
    ]

    @model_validator(mode="after")
    def _is_a_grid(self) -> Self:
        if len({len(row) for row in self.rows}) > 1:
            raise ValueError("all rows need the same number of points")
        return self


Shape = Annotated[Rectangle | Polygon | Quad | Cylinder | Mesh, Field(discriminator="kind")]


class Area(Facts):
    """One place where the design goes, and how it takes the photograph's light and folds."""

    name: Name = "front"
    shape: Shape
    fit: Literal["contain", "cover", "stretch"] = "contain"
    align: Literal["left", "center", "right"] = "center"
    vertical: Literal["top", "middle", "bottom"] = "middle"
    margin: Annotated[float, Field(ge=0, le=0.4, allow_inf_nan=False)] = 0
    size_inches: tuple[Length, Length] | None = None
    blend: Literal["normal", "multiply"] = "normal"
    opacity: Annotated[float, Field(ge=0.01, le=1, allow_inf_nan=False)] = 1
    white: Colour | None = None
    shading: Share = 0
    highlights: Share = 0
    displacement: Share = 0


class Garment(Facts):
    """A product that comes in colours: where it is in the photograph, the colours, and the one to show.

    Without `colour` it stays as it was photographed.
    """

    mask: PictureName
    colours: Annotated[dict[Name, Colour], Field(min_length=1, max_length=100)]
    colour: Name | None = None

    @model_validator(mode="after")
    def _is_offered(self) -> Self:
        if self.colour is not None and self.colour not in self.colours:
            raise ValueError(f"there is no colour {self.colour!r}; there are {', '.join(self.colours)}")
        return self


class Marking(Facts):
    """How the watermark lies over the finished picture: where, how wide, how strong.

    The watermark is the photograph's own; `picture` stands in for it where there is none, as in a preview.
    """

    picture: PictureName | None = None
    place: Literal["center", "tile", "top left", "top right", "bottom left", "bottom right"] = "center"
    width: Annotated[float, Field(ge=0.02, le=1, allow_inf_nan=False)] = 0.6
    opacity: Share = 0.45


class Crop(Facts):
    """The part of the photograph that is shown: the largest of these proportions, and where its middle lies.

    Without `middle` it lies around the print areas.
    """

    proportions: Proportions
    middle: Point | None = None


class Template(Facts):
    """One photograph with its print areas."""

    presswork_mockup: Literal[1] = Field(description="the version of this format")
    name: Name
    photograph: PictureName
    areas: Annotated[tuple[Area, ...], Field(min_length=1, max_length=50)]
    foreground: PictureName | None = None
    garment: Garment | None = None
    watermark: Marking | None = None
    crop: Crop | None = None

    @property
    def layers(self) -> tuple[str, ...]:
        """The pictures that it needs beside the photograph."""
        mark = self.watermark.picture if self.watermark else None
        names = (self.foreground, self.garment.mask if self.garment else None, mark)
        return tuple(dict.fromkeys(name for name in names if name))

    def in_colour(self, colour: str | None) -> "Template":
        """The same template with another of its colours.

        Raises:
            NotRenderable: it does not come in that colour.
        """
        if colour is None:
            return self
        if self.garment is None or colour not in self.garment.colours:
            offered = ", ".join(self.garment.colours) if self.garment else "none"
            raise NotRenderable(f"{self.name} does not come in {colour!r}; its colours are: {offered}")
        return self.model_copy(update={"garment": self.garment.model_copy(update={"colour": colour})})

    def in_proportions(self, proportions: str | None) -> "Template":
        """The same template, its picture cut to other proportions ('4:3').

        Raises:
            NotRenderable: they are none.
        """
        if proportions is None:
            return self
        if not re.fullmatch(PROPORTIONS, proportions):
            raise NotRenderable(f"{proportions!r} are no proportions; give width and height, as in 4:3 or 1:1")
        middle = self.crop.middle if self.crop else None
        return self.model_copy(update={"crop": Crop(proportions=proportions, middle=middle)})


class Bound(BaseModel):
    """A template whose pictures lie in the blob store, as ingest keeps it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    template: Template
    pictures: dict[str, Blob] = Field(default_factory=dict)


def area_of(mask: Mask) -> Area:
    """A mask of the web editor as a print area. Not cropped, it is always centred, whatever its alignment says."""
    if mask.perspective and len(mask.polygon) != 4:
        raise NotRenderable(f"a print area in perspective has 4 corners, this one has {len(mask.polygon)}")
    # Built without the format's own checks: what messages bring may be older, and is judged when it is laid out.
    shape: Quad | Polygon = Polygon.model_construct(kind="polygon", points=mask.polygon)
    if mask.perspective:
        top_left, top_right, bottom_right, bottom_left = mask.polygon
        shape = Quad.model_construct(kind="quad", corners=(top_left, top_right, bottom_right, bottom_left))
    return Area.model_construct(
        shape=shape,
        fit="cover" if mask.is_cropped else "contain",
        align=mask.alignment if mask.is_cropped else "center",
    )
