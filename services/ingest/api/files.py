"""Files of a shop's folder on the NAS, for its owner or whoever holds a signed link."""

import mimetypes
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, HTTPException, Query
from fastapi.responses import StreamingResponse

from services.ingest.api.identity import BAD_TOKEN, CHALLENGE, NO_TOKEN, Bearer, user_of
from services.ingest.api.nas_reading import Reading
from services.ingest.api.resources import Resources, Using
from services.ingest.catalog.errors import Missing
from shared.nas import Nas
from shared.nas.names import checked
from shared.nas.protocol import Stat

routes = APIRouter(tags=["designs"])

SAFE = {
    "X-Content-Type-Options": "nosniff",
    # A shop's folder may hold HTML or SVG from elsewhere: shown here, its scripts would act as our own.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    "Cache-Control": "private, max-age=3600",
}


def _folder(
    using: Using,
    token: Bearer,
    shop_name: str,
    path: str,
    expires: Annotated[int, Query(ge=0, le=2**53)] = 0,
    signature: Annotated[str, Query(max_length=200)] = "",
) -> str:
    """The folder of which the caller, or whoever holds this link, may have the file."""
    if signature and using.links.valid(shop_name, path, expires, signature, datetime.now(UTC)):
        return shop_name
    return _folder_of_caller(using, token, shop_name)


@routes.get("/designs/nas-file/{shop_name}/{path:path}", response_class=StreamingResponse)
async def nas_file(
    using: Using, reading: Reading, folder: Annotated[str, Depends(_folder)], path: str
) -> StreamingResponse:
    """The file, to be shown in place."""
    nas = using.neighbours.nas
    found = await reading.begin(folder, _find, nas, folder, path)
    name = path.rpartition("/")[2]
    headers = {
        **SAFE,
        "Content-Length": str(found.size),
        "Content-Disposition": f"inline; filename*=UTF-8''{quote(name, safe='')}",
    }
    pieces = await reading.opened(folder, nas.read(found.path))
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


def _find(nas: Nas, folder: str, path: str) -> Stat:
    hidden = any(part.startswith(".") for part in path.split("/"))
    found = None if hidden else nas.stat(checked(f"{folder}/{path}"))
    if found is None or found.is_directory:
        raise Missing("There is no such file in this shop's folder.")
    return found
