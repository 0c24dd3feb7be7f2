"""Pictures and files of listings."""

import hashlib
from typing import Any

from services.etsy_fake import forms
from services.etsy_fake.forms import MULTIPART, Sent
from services.etsy_fake.operations import Call, Operation
from services.etsy_fake.state import Download, EtsyError, Listing, Picture

OF_LISTING = "/v3/application/shops/{shop_id:int}/listings/{listing_id:int}"
MOST_PICTURES, MOST_FILES, MOST_FILE_BYTES, MOST_ALT = 20, 5, 20 * 2**20, 500
KINDS = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG": "image/png", b"GIF8": "image/gif"}


def upload_picture(call: Call) -> dict[str, Any]:
    """Put a picture at its rank; what is there moves on, or is replaced."""
    listing, form = call.listing(), call.body.form
    rank = forms.number(form, "rank") or 1
    if len(form.get("alt_text", "")) > MOST_ALT:
        raise EtsyError(400, "There was a problem with /alt_text : at most 500 characters")
    mixed_up = call.fault is not None and call.fault.kind == "bad-order"
    place = 0 if mixed_up else min(rank - 1, len(listing.pictures))
    replaces = forms.boolean(form, "overwrite", default=False) and place < len(listing.pictures) and not mixed_up
    if len(listing.pictures) >= MOST_PICTURES and not replaces:
        raise EtsyError(400, "A listing may have at most 20 images.")
    new = _picture(call, listing, call.body.files.get("image"), forms.number(form, "listing_image_id"))
    new.alt_text = form.get("alt_text", "")
    listing.pictures[place : place + replaces] = [new]
    return picture(listing, new)


def list_pictures(call: Call) -> dict[str, Any]:
    """All pictures in order. Etsy has looked at them by the second time that somebody asks."""
    listing = call.listing()
    found = [picture(listing, each) for each in listing.pictures]
    for each in listing.pictures:
        each.looked_at = True
    return {"count": len(found), "results": found}


def delete_picture(call: Call) -> None:
    """Take one out."""
    listing, number = call.listing(), call.path["listing_image_id"]
    if number not in [each.id for each in listing.pictures]:
        raise EtsyError(404, "Image not found")
    listing.pictures = [each for each in listing.pictures if each.id != number]


def upload_file(call: Call) -> dict[str, Any]:
    """Add the file that a buyer gets. A physical listing becomes digital by it."""
    listing, form, sent = call.listing(), call.body.form, call.body.files.get("file")
    name = form.get("name", "")
    if sent is None or not sent.data:
        raise EtsyError(400, "Either a valid file or a listing_file_id must be provided.")
    if len(sent.data) > MOST_FILE_BYTES or len(listing.downloads) >= MOST_FILES:
        raise EtsyError(400, "A listing may have at most 5 files of at most 20 MB.")
    if not 0 < len(name) <= 70 or not all(sign.isascii() and (sign.isalnum() or sign in "._-") for sign in name):
        raise EtsyError(400, "There was a problem with /name : letters, digits, '.', '_' and '-' only, at most 70")
    new = Download(call.etsy.number(), int(call.etsy.now()), name, sent.data)
    listing.downloads.append(new)
    listing.fields["type"] = "download"
    return file(listing, new)


def list_files(call: Call) -> dict[str, Any]:
    """All files."""
    listing = call.listing()
    found = [file(listing, each) for each in listing.downloads]
    return {"count": len(found), "results": found}


def picture(listing: Listing, each: Picture) -> dict[str, Any]:
    """A picture as Etsy writes it."""
    urls = {name: f"https://i.etsystatic.com/{each.id}/{name}.jpg" for name in ("75x75", "170x135", "570xN")}
    colours = ("red", "green", "blue", "hue", "saturation", "brightness")
    size = 2000 if each.looked_at else None
    return {
        "listing_id": listing.id,
        "listing_image_id": each.id,
        "hex_code": "808080" if each.looked_at else None,
        **dict.fromkeys(colours, 128 if each.looked_at else None),
        "is_black_and_white": False if each.looked_at else None,
        "creation_tsz": each.created,
        "created_timestamp": each.created,
        "rank": 1 + next((at for at, other in enumerate(listing.pictures) if other.id == each.id), 0),
        **{f"url_{name}": url for name, url in urls.items()},
        "url_fullxfull": f"https://i.etsystatic.com/{each.id}/fullxfull.jpg",
        "full_height": size,
        "full_width": size,
        "alt_text": each.alt_text,
    }


def file(listing: Listing, each: Download) -> dict[str, Any]:
    """A file as Etsy writes it."""
    return {
        "listing_file_id": each.id,
        "listing_id": listing.id,
        "rank": 1 + listing.downloads.index(each),
        "filename": each.name,
        "filesize": f"{len(each.data) / 1024:.2f} KB",
        "size_bytes": len(each.data),
        "filetype": "image/png" if each.name.endswith(".png") else "application/octet-stream",
        "create_timestamp": each.created,
        "created_timestamp": each.created,
    }


def _picture(call: Call, listing: Listing, sent: Sent | None, known: int | None) -> Picture:
    if sent is None and known is not None:
        for each in listing.pictures:
            if each.id == known:
                listing.pictures.remove(each)
                return each
    kind = next((kind for start, kind in KINDS.items() if sent and sent.data.startswith(start)), None)
    if sent is None or kind is None:  # webp and avif among them
        raise EtsyError(400, "Either a valid image file or a listing_image_id must be provided with your request.")
    digest = hashlib.sha256(sent.data).hexdigest()
    now, size = int(call.etsy.now()), len(sent.data)
    new = Picture(call.etsy.number(), now, sent.data, kind, sent.name, size, sha256=digest)
    call.etsy.keep(new)
    return new


OPERATIONS = (
    Operation("uploadListingImage", "POST", f"{OF_LISTING}/images", upload_picture, "listings_w", MULTIPART, 201),
    Operation("getListingImages", "GET", "/v3/application/listings/{listing_id:int}/images", list_pictures),
    Operation(
        "deleteListingImage",
        "DELETE",
        f"{OF_LISTING}/images/{{listing_image_id:int}}",
        delete_picture,
        "listings_w",
        None,
        204,
    ),
    Operation("uploadListingFile", "POST", f"{OF_LISTING}/files", upload_file, "listings_w", MULTIPART, 201),
    Operation("getAllListingFiles", "GET", f"{OF_LISTING}/files", list_files, "listings_r"),
)
