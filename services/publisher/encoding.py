"""How Etsy wants its requests written, byte for byte. The one serializer, for dry runs and real ones. Pure."""

from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import quote_plus, urlencode

from services.publisher.limits import DEFAULT_TAXONOMY_ID
from services.publisher.listing import ListingDraft

API = "https://openapi.etsy.com/v3/application"


@dataclass(frozen=True)
class Account:
    """What a listing takes from the connected shop rather than from its template. Ids as text."""

    shop_id: str
    shipping_profile_id: str
    readiness_state_id: str
    return_policy_id: str | None = None


PLACEHOLDERS = Account("{{shop_id}}", "{{shipping_profile_id}}", "{{readiness_state_id}}", "{{return_policy_id}}")
"""For a request that nobody has an account for yet: variables as REST clients know them."""


def draft_fields(draft: ListingDraft, account: Account) -> list[tuple[str, str]]:
    """The fields of createDraftListing in a fixed order. Empty arrays and what is not given are absent.

    Not sent: processing times (a physical listing has them from its readiness state) and state (a new one is a draft).
    """
    physical = draft.type == "physical"
    fields: list[tuple[str, str | None]] = [
        ("quantity", str(draft.quantity)),
        ("title", draft.title),
        ("description", draft.description),
        ("price", f"{Decimal(str(draft.price)):.2f}"),
        ("who_made", draft.who_made),
        ("when_made", draft.when_made),
        ("is_supply", "false"),  # required beside who_made and when_made, whatever the document says (issue 511)
        ("taxonomy_id", str(draft.taxonomy_id or DEFAULT_TAXONOMY_ID)),
        ("type", draft.type),
        ("tags", _array(draft.tags)),
        ("materials", _array(draft.materials)),
        ("shop_section_id", _number(draft.shop_section_id)),
        ("is_taxable", _boolean(draft.is_taxable)),
        ("should_auto_renew", "false"),  # a renewal costs a fee: never without being asked
    ]
    if physical:
        fields += [
            ("shipping_profile_id", account.shipping_profile_id),
            ("readiness_state_id", account.readiness_state_id),
            ("return_policy_id", _number(draft.return_policy_id) or account.return_policy_id),
            ("production_partner_ids", _array(draft.production_partner_ids)),
            ("item_weight", _number(draft.item_weight)),
            ("item_weight_unit", draft.item_weight_unit if draft.item_weight else None),
            ("item_length", _number(draft.item_length)),
            ("item_width", _number(draft.item_width)),
            ("item_height", _number(draft.item_height)),
            ("item_dimensions_unit", draft.item_dimensions_unit if _measured(draft) else None),
        ]
    return [(name, value) for name, value in fields if value]


def form_body(fields: list[tuple[str, str]]) -> str:
    """An x-www-form-urlencoded body."""
    return urlencode(fields)


def http_file(draft: ListingDraft, picture_paths: list[str], download_path: str | None) -> str:
    """Every request for this draft in the `.http` format of REST clients, with variables for secrets and the shop."""
    fields = draft_fields(draft, PLACEHOLDERS)
    body = form_body(fields)
    for name, value in fields:
        if value == f"{{{{{name}}}}}":
            body = body.replace(f"{name}={quote_plus(value)}", f"{name}={value}")
    requests = [_request("the draft", "", "application/x-www-form-urlencoded", body)]
    for rank, path in enumerate(picture_paths, start=1):
        requests.append(_upload(f"picture {rank}", "images", "image", path, "image/jpeg", ("rank", str(rank))))
    if draft.download and download_path:
        kind = "application/octet-stream"
        requests.append(_upload("the download", "files", "file", download_path, kind, ("name", draft.download.name)))
    return "\n\n".join(requests) + "\n"


def _request(title: str, path: str, content_type: str, body: str) -> str:
    return (
        f"### {title}\n"
        f"POST {API}/shops/{{{{shop_id}}}}/listings{path}\n"
        "x-api-key: {{keystring}}:{{shared_secret}}\n"
        "Authorization: Bearer {{access_token}}\n"
        f"Content-Type: {content_type}\n\n{body}"
    )


def _upload(title: str, path: str, field: str, file: str, content_type: str, extra: tuple[str, str]) -> str:
    name = file.rsplit("/", 1)[-1]
    body = (
        "--presswork\n"
        f'Content-Disposition: form-data; name="{field}"; filename="{name}"\n'
        f"Content-Type: {content_type}\n\n< ./{file}\n"
        "--presswork\n"
        f'Content-Disposition: form-data; name="{extra[0]}"\n\n{extra[1]}\n'
        "--presswork--"
    )
    return _request(title, f"/{{{{listing_id}}}}/{path}", "multipart/form-data; boundary=presswork", body)


def _array(values: tuple[str, ...] | tuple[int, ...]) -> str:
    # One field, comma-separated, no brackets: of repeated fields Etsy kept the last one only (issues 291, 557).
    return ",".join(str(value) for value in values)


def _number(value: float | None) -> str | None:
    return None if value is None else f"{Decimal(str(value)).normalize():f}"


def _boolean(value: bool) -> str:
    return "true" if value else "false"


def _measured(draft: ListingDraft) -> bool:
    return any((draft.item_length, draft.item_width, draft.item_height))
