"""Files of a shop's folder on the NAS, for its owner or whoever holds a signed link."""

import mimetypes
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import chain
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, HTTPException, Query
from fastapi.responses import StreamingResponse

from services.ingest.api.identity import BAD_TOKEN, CHALLENGE, NO_TOKEN, Bearer, user_of
from services.ingest.api.resources import Resources, Using
from services.ingest.catalog.errors import Missing
from shared.nas.names import checked
from shared.nas.protocol import Stat

routes = APIRouter(tags=["designs"])

SAFE = {
    "X-Content-Type-Options": "nosniff",
    # A shop's folder may hold HTML or SVG from elsewhere: shown here, its scripts would act as our own.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    "Cache-Control": "private, max-age=3600",
}


@routes.get("/designs/nas-file/{shop_name}/{path:path}", response_class=StreamingResponse)
def nas_file(
    using: Using,
    token: Bearer,
    shop_name: str,
    path: str,
    expires: Annotated[int, Query(ge=0, le=2**53)] = 0,
    signature: Annotated[str, Query(max_length=200)] = "",
) -> StreamingResponse:
    """The file, to be shown in place."""
    if signature and using.links.valid(shop_name, path, expires, signature, datetime.now(UTC)):
        folder = shop_name
    else:
        folder = _folder_of_caller(using, token, shop_name)
    found = _find(using, folder, path)
    name = path.rpartition("/")[2]
    headers = {
        **SAFE,
        "Content-Length": str(found.size),
        "Content-Disposition": f"inline; filename*=UTF-8''{quote(name, safe='')}",
    }
    pieces = _opened(using.neighbours.nas.read(found.path))
    return StreamingResponse(
        pieces, media_type=mimetypes.guess_type(name)[0] or "application/octet-stream", headers=headers
    )


def _folder_of_caller(using: Resources, token: str | None, shop_name: str) -> str:
    """The caller's own folder, if that is what was asked for; clients know the shop by its name or by its folder."""
    if token is None:
        raise HTTPException(401, NO_TOKEN, CHALLENGE)
    user = user_of(using, token)
    if user is None:
        raise HTTPException(401, BAD_TOKEN, CHALLENGE)
    if shop_name not in (user.shop_folder, user.shop_name):
        raise HTTPException(401, "These files belong to another shop.", CHALLENGE)
    return user.shop_folder


def _find(using: Resources, folder: str, path: str) -> Stat:
    hidden = any(part.startswith(".") for part in path.split("/"))
    found = None if hidden else using.neighbours.nas.stat(checked(f"{folder}/{path}"))
    if found is None or found.is_directory:
        raise Missing("There is no such file in this shop's folder.")
    return found


def _opened(pieces: Iterator[bytes]) -> Iterator[bytes]:
    # The first piece opens the file: what can go wrong should do so before the answer has begun.
    first = next(pieces, b"")
    return chain((first,), pieces)
