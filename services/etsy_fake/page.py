"""Pages that show what the stand-in has, for people: one of all listings, and one of each."""

import html

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from services.etsy_fake.state import Etsy, Listing

ALL = '<p><a href="/">All listings</a></p>'
SHOWN = ("title", "description", "price")
STYLE = "font:15px sans-serif;max-width:70em;margin:2em auto;padding:0 1em"


def address(listing: Listing) -> str:
    """Of a listing's own page."""
    return f"/listing/{listing.id}"


def routes(etsy: Etsy) -> list[Route]:
    """The pages and their pictures."""

    async def page(request: Request) -> Response:
        del request
        shown = "".join(_shown(etsy, listing) for listing in reversed(etsy.listings.values()))
        return _page(
            "",
            f"<p>{len(etsy.listings)} listings, {etsy.used_today()} calls of {etsy.limits.per_day} in 24 hours, "
            f"{etsy.fees_usd:.2f} USD of fees. Nothing here is real, and it is gone when the program ends.</p>"
            f"{shown or '<p>No listings yet.</p>'}",
        )

    async def one(request: Request) -> Response:
        number = request.path_params["number"]
        listing = etsy.listings.get(number)
        if listing is None:
            words = f"The stand-in has no listing {number}: it was deleted, or of an earlier run, which is forgotten."
            return _page("", f"<p>{words}</p>{ALL}", 404)
        return _page(listing.fields["title"], f"{_shown(etsy, listing)}{_details(listing)}{ALL}")

    async def picture(request: Request) -> Response:
        for listing in etsy.listings.values():
            for each in listing.pictures:
                if each.id == request.path_params["number"]:
                    return Response(each.data, media_type=each.kind)
        return Response(status_code=404)

    return [Route("/", page), Route("/listing/{number:int}", one), Route("/_fake/pictures/{number:int}", picture)]


def _page(title: str, body: str, status: int = 200) -> Response:
    head = " - ".join(html.escape(each) for each in (title, "Stand-in for Etsy") if each)
    return HTMLResponse(
        f"<!doctype html><meta charset=utf-8><title>{head}</title>"
        f'<body style="{STYLE}"><h1>Stand-in for Etsy</h1>{body}',
        status,
    )


def _shown(etsy: Etsy, listing: Listing) -> str:
    pictures = "".join(
        f'<img src="/_fake/pictures/{each.id}" height=120 loading=lazy alt=""> '
        for each in listing.pictures
        if each.data
    )
    shop = html.escape(etsy.seller_of(listing.shop_id).shop_name)
    files = "".join(f"<br>file: {html.escape(each.name)}" for each in listing.downloads)
    return (
        f'<h3><a href="{address(listing)}">{html.escape(listing.fields["title"])}</a></h3><p>'
        f"{shop}, {listing.id}, <b>{listing.state}</b>, "
        f"{listing.fields['price']:.2f} USD{files}</p>{pictures}"
    )


def _details(listing: Listing) -> str:
    facts = {"sku": listing.sku} | {name: fact for name, fact in listing.fields.items() if name not in SHOWN}
    lines = (f"{name}: {', '.join(fact) if isinstance(fact, list) else fact}" for name, fact in facts.items())
    words = html.escape(listing.fields["description"])
    return f'<p style="white-space:pre-wrap">{words}</p><p>{"<br>".join(html.escape(line) for line in lines)}</p>'
