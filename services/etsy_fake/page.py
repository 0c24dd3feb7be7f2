"""A page that shows what the stand-in has, for people."""

import html

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from services.etsy_fake.state import Etsy, Listing

STYLE = "font:15px sans-serif;max-width:70em;margin:2em auto;padding:0 1em"


def routes(etsy: Etsy) -> list[Route]:
    """The page and its pictures."""

    async def page(request: Request) -> Response:
        del request
        shown = "".join(_shown(etsy, listing) for listing in reversed(etsy.listings.values()))
        return HTMLResponse(
            "<!doctype html><meta charset=utf-8><title>Stand-in for Etsy</title>"
            f'<body style="{STYLE}"><h1>Stand-in for Etsy</h1>'
            f"<p>{len(etsy.listings)} listings, {etsy.used_today()} calls of {etsy.limits.per_day} in 24 hours, "
            f"{etsy.fees_usd:.2f} USD of fees. Nothing here is real, and it is gone when the program ends.</p>"
            f"{shown or '<p>No listings yet.</p>'}"
        )

    async def picture(request: Request) -> Response:
        for listing in etsy.listings.values():
            for each in listing.pictures:
                if each.id == request.path_params["number"]:
                    return Response(each.data, media_type=each.kind)
        return Response(status_code=404)

    return [Route("/", page), Route("/_fake/pictures/{number:int}", picture)]


def _shown(etsy: Etsy, listing: Listing) -> str:
    pictures = "".join(
        f'<img src="/_fake/pictures/{each.id}" height=120 loading=lazy alt=""> '
        for each in listing.pictures
        if each.data
    )
    shop = html.escape(etsy.seller_of(listing.shop_id).shop_name)
    files = "".join(f"<br>file: {html.escape(each.name)}" for each in listing.downloads)
    return (
        f"<h3>{html.escape(listing.fields['title'])}</h3><p>{shop}, {listing.id}, <b>{listing.state}</b>, "
        f"{listing.fields['price']:.2f} USD{files}</p>{pictures}"
    )
