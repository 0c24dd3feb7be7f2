"""Every message on the wire: what happens to one file, then what starts work, then commands.

Events are facts (noun and past participle), commands are orders (verb and noun).
Bodies hold facts only; message id, causation and attempt live in the envelope (`shared/bus/envelope.py`).
Unknown fields are ignored and fields are only ever added, with a default: an old consumer reads a new message and the
other way round. A breaking change is a new class. The wire name is the class name, pinned by `tests/contract/golden`.

Lengths are in pixels or, where the name says so, inches. Indexes count from 0 in upload order.
"""

from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Hash256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="256 bits as 64 hex digits")]
Copy = Literal["identical_bytes", "re_encode", "near_copy", "same_hash"]
Variant = Literal["text_variant", "colour_variant", "inverted", "mirrored"]
Duplicates = Literal["skip_exact", "skip_near", "review", "keep_all"]
"""Which duplicates an upload leaves out; `review` leaves out the near ones until somebody says to keep them."""
Stage = Literal["ingest", "hasher", "dedup", "storage", "mockup", "publisher"]


class Part(BaseModel):
    """A value inside messages."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Message(Part):
    """What services send each other."""

    work: ClassVar[bool] = True
    """Some service acts on it, so publishing it must reach a queue (`tests/flow/test_wiring.py` holds this true)."""


class Blob(Part):
    """Bytes in the blob store (`shared/blobs.py`), named by their content. Messages never carry the bytes."""

    sha256: Sha256
    size: int = Field(ge=0, description="bytes")


class PrintSpec(Part):
    """What a design is printed as: the size it is resized to and the canvas it is laid on.

    `stretch` fills width x height exactly; otherwise the aspect is kept inside it and the result is centred on the
    canvas. A digital design keeps its size and resolution and has no canvas.
    """

    width_inches: float = Field(gt=0)
    height_inches: float = Field(gt=0)
    canvas_width_inches: float = Field(gt=0)
    canvas_height_inches: float = Field(gt=0)
    stretch: bool = True
    dpi: int = Field(default=400, gt=0)
    digital: bool = False


class Destination(Part):
    """Where on the NAS a design belongs, and the least number it may get."""

    shop: str = Field(description="the shop's folder name, unique to the tenant")
    template: str = Field(description="the product template's name as the user wrote it")
    starting_number: int = Field(default=100, ge=0)
    digital: bool = False


class UploadedFile(Part):
    """One file of a batch, as received and before anybody looked inside."""

    item_id: UUID
    index: int = Field(ge=0)
    generation: int = Field(default=0, ge=0)
    filename: str = Field(description="as the client sent it; for people, never a path")
    upload: Blob
    kept: bool = Field(default=False, description="somebody said to keep it, whatever it is a near copy of")


class Mask(Part):
    """A print area on a mockup photograph: a polygon in the photograph's own pixels.

    With `perspective`, it is the area's corners, clockwise from the top left; else a design fits its bounding box.
    """

    polygon: tuple[tuple[float, float], ...] = Field(min_length=3)
    is_cropped: bool = False
    alignment: Literal["left", "center", "right"] = "center"
    perspective: bool = False


class Background(Part):
    """A mockup photograph with its own masks, and what a template says of it (docs/mockups.md)."""

    image: Blob
    masks: tuple[Mask, ...] = ()
    watermark: Blob | None = None
    template: Blob | None = None


class ListingTemplate(Part):
    """The texts and figures that every listing of a product template shares (contract section 5)."""

    template_id: UUID
    name: str
    title: str
    description: str
    price: float
    quantity: int
    who_made: str
    when_made: str
    taxonomy_id: int | None = None
    shop_section_id: int | None = None
    return_policy_id: int | None = None
    materials: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    item_weight: float | None = None
    item_weight_unit: str | None = None
    item_length: float | None = None
    item_width: float | None = None
    item_height: float | None = None
    item_dimensions_unit: str | None = None
    is_taxable: bool = True
    type: str = "physical"
    processing_min: int | None = None
    processing_max: int | None = None
    production_partner_ids: tuple[int, ...] = ()


class RenderedMockup(Part):
    """One finished product picture: a JPEG in sRGB without alpha."""

    image: Blob
    filename: str
    width: int
    height: int


class Match(Part):
    """What a picture equals or resembles. `item_id` names an upload of the same tenant; `path` lies on the NAS."""

    source: Literal["session", "nas", "database"]
    item_id: UUID | None = None
    filename: str | None = None
    path: str | None = None
    verdict: Copy | Variant | None = None
    reason: str | None = Field(default=None, description="of a resemblance, in words")
    content: Sha256 | None = Field(default=None, description="of the file as uploaded, or as found on the NAS")
    canonical: Blob | None = Field(default=None, description="its picture, small, if there is one")


class OfItem(Part):
    """Which file it is about. `generation` grows when the item is tried, or decided about, anew, and only then."""

    tenant_id: UUID
    session_id: UUID
    item_id: UUID
    index: int = Field(ge=0)
    generation: int = Field(default=0, ge=0)
    filename: str


class OfListing(OfItem):
    """Which listing: a stored design, in the shop, with a mockup group."""

    mockup_id: UUID
    design: Blob
    design_name: str
    number: int
    shop: str
    template: ListingTemplate
    digital: bool = False


class ItemEvent(OfItem, Message):
    """Something happened to one uploaded file.

    Each is also progress: it is published a second time under `progress.<session>.<stage>.<outcome>`, for ingest's
    projection and for whoever watches.
    """

    stage: ClassVar[str]
    outcome: ClassVar[str]


class Prepared(ItemEvent):
    """What the hasher made of a file. Fields of `ImageHashed`, carried on by `ImageAccepted`."""

    upload: Blob
    print_file: Blob = Field(description="the PNG to store, at print size")
    canonical: Blob = Field(
        description="the picture small and square, in colour and alpha: a PNG, to compare pixels by; pHYs tells its "
        "proportions"
    )
    width: int
    height: int
    dpi: int
    artwork: tuple[int, int] | None = Field(
        default=None, description="width and height of the art in the upload; none: an older hasher made it"
    )
    algorithm: str = Field(description="how the hashes were made; only equal names are compared")
    phash: Hash256
    dhash: Hash256
    destination: Destination
    warnings: tuple[str, ...] = ()


Distance = Annotated[int | None, Field(ge=0, le=256, description="the account's own; none: what dedup is set to")]


class ImageHashed(Prepared):
    """The file is an image; its print file and hashes exist."""

    stage, outcome = "hasher", "hashed"
    duplicates: Duplicates = "skip_near"
    duplicate_distance: Distance = None
    kept: bool = False


class ImageRejected(ItemEvent):
    """The file can't become a print: `reason` says why and what to do, in the user's words."""

    stage, outcome = "hasher", "rejected"
    code: str
    reason: str


Anew = Annotated[bool, Field(description="whether it replaces a verdict that ended with another file's claim")]


class DuplicateFound(ItemEvent):
    """It is a copy of a picture that the tenant has: `distance` bits of 256 differ in the nearer of the two hashes."""

    stage, outcome = "dedup", "duplicate"
    anew: Anew = False
    kind: Literal["identical", "near"]
    distance: int = Field(ge=0, le=256)
    match: Match
    reason: str
    review: bool = Field(default=False, description="whether somebody is asked: keep it or skip it?")
    canonical: Blob | None = Field(default=None, description="its own picture, small")


class ImageAccepted(Prepared):
    """It is to be stored: a copy of no known picture of this tenant, or one that its policy or somebody lets in.

    It is claimed until it is stored or fails. `resembles`: what it is a copy or a variant of, if of one.

    Of two copies in one upload the earlier one is stored, though the later one was accepted first. `instead_of` says
    what such later ones are by now: they must be given up before this one is stored. Each has its own message, too.
    """

    stage, outcome = "dedup", "accepted"
    resembles: Match | None = None
    anew: Anew = False
    instead_of: tuple[DuplicateFound, ...] = ()


class ImageFailed(ItemEvent):
    """A message about this file ended in a dead-letter queue: `failed_stage` gave up. Not the file's fault."""

    stage, outcome = "ingest", "failed"
    failed_stage: Stage
    reason: str
    mockup_id: UUID | None = Field(default=None, description="which of the design's listings it was about, if one")


class DesignStored(ItemEvent):
    """Size and SHA-256 were read back from the NAS: the design is safe."""

    stage, outcome = "storage", "stored"
    number: int
    name: str = Field(description="the file name that the design got, e.g. 'UV 100 UVDTF_16oz_100.png'")
    path: str = Field(description="below the NAS root, '/' between its parts")
    print_file: Blob
    digital: bool = False


class DesignActivityChanged(Message):
    """The user took a stored design out of use, or back into it. Out of use it blocks no picture; its file stays.

    `revision` grows with every change of a design: what comes with a lesser one than is known has been overtaken.
    """

    tenant_id: UUID
    item_id: UUID
    is_active: bool
    revision: int = Field(ge=1)


class StorageFailed(ItemEvent):
    """A file will not be stored, accepted or not: the NAS refused it for good, or it had been given up elsewhere."""

    stage, outcome = "storage", "failed"
    reason: str


class MockupsRendered(OfListing, ItemEvent):
    """All product pictures of one design for one mockup group."""

    stage, outcome = "mockup", "rendered"
    mockups: tuple[RenderedMockup, ...]
    watermarked: bool = False
    warnings: tuple[str, ...] = ()


class MockupFailed(ItemEvent):
    """No picture can be rendered from what the mockup group holds; `reason` says what to mend."""

    work = False
    stage, outcome = "mockup", "failed"
    mockup_id: UUID
    reason: str


ALREADY_LISTED = "already listed"
SAME_PRINT = "its print is the same as"
"""How a listing's warning begins if the shop had it before it was asked for: as this design's, or as another's."""


class ListingPublished(ItemEvent):
    """The listing exists in the shop (as a draft, unless asked otherwise) with all of its pictures."""

    work = False
    stage, outcome = "publisher", "published"
    mockup_id: UUID
    target: str
    listing_id: str
    url: str | None = None
    state: str = "draft"
    warnings: tuple[str, ...] = ()


class ListingFailed(ItemEvent):
    """The shop refused the listing for good; `reason` says what to mend."""

    work = False
    stage, outcome = "publisher", "failed"
    mockup_id: UUID
    reason: str


class BatchSubmitted(Message):
    """A share of a session's files, for one hasher to work through: five at most, and about 100 MB."""

    tenant_id: UUID
    session_id: UUID
    batch: int
    files: tuple[UploadedFile, ...] = Field(min_length=1)
    print_spec: PrintSpec
    destination: Destination
    duplicates: Duplicates = "skip_near"
    duplicate_distance: Distance = None


class MockupsRequested(OfListing, Message):
    """The user asked for listings of this stored design with this mockup group."""

    backgrounds: tuple[Background, ...]


class WorkDelayed(Message):
    """For people who wait: a service waits for what it needs, or tries a message again later. Nobody acts on it."""

    work = False
    service: Stage
    session_id: UUID | None = Field(description="whose upload waits; none: all that the service has to do")
    cause: str = Field(description="the error and its words; empty: it goes on")
    again_in_s: float | None = Field(default=None, description="when it is tried again; none: as soon as may be")


class WorkCancelled(Message):
    """Nobody wants these files and listings any more. What is stored or listed by the time this comes stays so."""

    tenant_id: UUID
    session_id: UUID
    reason: str
    files: tuple[UploadedFile, ...] = ()
    listings: tuple[tuple[UUID, UUID, int], ...] = Field(default=(), description="item, mockup and generation of each")


class PairJudged(Message):
    """Somebody looked at a near duplicate beside what it matched. What they said of this pair stands for ever.

    `keep` goes before `skip`, in whatever order they come. That a file is kept travels with the file, too.
    """

    tenant_id: UUID
    item_id: UUID
    generation: int = Field(ge=0, description="of the verdict that they looked at")
    decision: Literal["keep", "skip"]


class StoreFile(Message):
    """Keep a copy of this blob at this path of the tenant's shop folder (mockup photographs, watermarks)."""

    tenant_id: UUID
    shop: str
    path: str = Field(description="below the shop's folder, '/' between its parts")
    content: Blob


class ShopScanRequested(Message):
    """Find the pictures in a tenant's shop folder on the NAS and have them hashed; `anew`: the known ones as well."""

    tenant_id: UUID
    shop: str
    scan_id: UUID
    anew: bool = False
    goes_on: bool = Field(default=False, description="list nothing: storage goes on with what it found, in a new turn")


SCANNED = "scanned"
"""The blob store's folder for the copies of `PictureFound`: storage puts them there, the hasher reads them."""


class PictureFound(Message):
    """A picture lies on the NAS. Its copy, in the blob store's folder SCANNED, goes once its ticket was answered."""

    tenant_id: UUID
    ticket: UUID
    path: str
    content: Blob


class PictureHashed(PictureFound):
    """Its hashes and its picture, or in words the `problem` that prevents them; neither: its copy was lost."""

    algorithm: str = ""
    phash: Hash256 | None = None
    dhash: Hash256 | None = None
    canonical: Blob | None = None
    problem: str = ""


class PicturesGone(Message):
    """At these paths of the NAS lies no picture any more; `designs` are those of them that we had stored there."""

    tenant_id: UUID
    paths: tuple[str, ...]
    designs: tuple[str, ...] = ()
