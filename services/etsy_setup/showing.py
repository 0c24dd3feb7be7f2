"""What the commands print."""

from collections.abc import Sequence
from datetime import UTC, datetime

from services.etsy_setup.accounts import Overruling
from services.etsy_setup.front import missing
from services.publisher.etsy.choosing import KINDS, Chosen, Options
from services.publisher.etsy.connections import Connected
from services.publisher.etsy.limiter import Quota

OPTION_OF = {
    "shipping_profile_id": "--shipping-profile",
    "readiness_state_id": "--readiness-state",
    "return_policy_id": "--return-policy",
    "shop_section_id": "--section",
    "taxonomy_id": "--category",
    "production_partner_ids": "--partner",
}
MOST_CATEGORIES = 30


def connection_in_words(found: Connected | None, quota: Quota, own: Sequence[Overruling] = ()) -> str:
    """The connection in words; `own` is what templates say themselves."""
    if found is None:
        return "No Etsy shop is connected: presswork etsy connect"
    lines = [f"Etsy shop {found.shop_name} ({found.shop_id}), allowed: {' '.join(found.scopes)}"]
    if trouble := found.trouble(datetime.now(UTC)):
        lines.append(f"It can't be used: {trouble}")
    lacking = missing(found.choices)
    lines.append(f"Not chosen yet: {', '.join(lacking)} (presswork etsy setup)" if lacking else "Set up.")
    lines.append(f"Listings get {'a' if found.choices.skus else 'no'} SKU, like UV 100 (presswork etsy setup --skus).")
    lines += overruled(own, found.options)
    if quota.stopped:
        lines.append(f"Etsy takes no calls for another {quota.stopped}: what is to do waits, and goes on.")
    elif quota.remaining_today is not None:
        lines.append(f"{quota.remaining_today:,} of {quota.per_day or 0:,} calls are left today.")
    return "\n".join(lines)


def overruled(own: Sequence[Overruling], options: Options | None) -> list[str]:
    """A line for each choice that doesn't count for the listings of a template."""
    return [
        f"The template '{each.template}' has its own {KINDS[each.kind]}, which goes first: {each.value}"
        + (f" ({name})" if options and (name := options.name(each.kind, each.value)) else "")
        for each in own
    ]


def choosable(choices: Chosen, options: Options, word: str, own: Sequence[Overruling] = ()) -> str:
    """Everything that there is to choose, with a mark at what was chosen; what templates say themselves at the end."""
    lines: list[str] = []
    for kind, name in KINDS.items():
        chosen = getattr(choices, kind)
        picked = chosen if isinstance(chosen, tuple) else (chosen,)
        there = getattr(options, kind)
        if kind == "taxonomy_id":
            found = [each for each in there if word and word.casefold() in each.name.casefold()]
            there = [each for each in there if each.id in picked or each in found]
        lines.append(f"{name} ({OPTION_OF[kind]} ID)")
        lines += [f"  {'*' if each.id in picked else ' '} {each.id}  {each.name}" for each in there[:MOST_CATEGORIES]]
        if kind == "taxonomy_id" and not word:
            lines.append("    find others: presswork etsy setup --find tumbler")
        elif kind == "taxonomy_id" and not found:
            lines.append(f"    none with the word {word!r}")
        elif not there:
            lines.append("    the shop has none")
    lacking = missing(choices)
    lines.append(f"Still to be chosen: {', '.join(lacking)}" if lacking else "Everything is chosen (*).")
    return "\n".join([*lines, *overruled(own, options)])
