"""What a shop has to choose from, read from Etsy."""

from typing import Any
from uuid import UUID

from services.plurals import counted
from services.publisher.etsy import calls
from services.publisher.etsy.answers import RowsAnswer
from services.publisher.etsy.calls import Operation
from services.publisher.etsy.choosing import Option, Options
from services.publisher.etsy.client import Client
from services.publisher.etsy.connections import Connections


def offered(client: Client, connections: Connections, tenant_id: UUID, shop_id: int) -> Options:
    """Everything, read anew and kept with the connection."""
    options = read(client, shop_id)
    connections.offer(tenant_id, shop_id, options)
    return options


def read(client: Client, shop_id: int) -> Options:
    """Six calls."""
    shop = {"shop_id": shop_id}

    def rows(operation: Operation[RowsAnswer], **path: int) -> tuple[dict[str, Any], ...]:
        return client.call(operation, path).results

    return Options(
        shipping_profile_id=tuple(
            Option(id=each["shipping_profile_id"], name=each.get("title") or "without a name")
            for each in rows(calls.SHIPPING, **shop)
            if not each.get("is_deleted")
        ),
        readiness_state_id=tuple(
            Option(id=each["readiness_state_id"], name=_readiness(each)) for each in rows(calls.READINESS, **shop)
        ),
        return_policy_id=tuple(
            Option(id=each["return_policy_id"], name=_returns(each)) for each in rows(calls.RETURNS, **shop)
        ),
        shop_section_id=tuple(
            Option(id=each["shop_section_id"], name=each["title"]) for each in rows(calls.SECTIONS, **shop)
        ),
        production_partner_ids=tuple(
            Option(id=each["production_partner_id"], name=f"{each['partner_name']}, {each.get('location', '')}")
            for each in rows(calls.PARTNERS, **shop)
        ),
        taxonomy_id=tuple(_leaves(rows(calls.TAXONOMY))),
    )


def _readiness(row: dict[str, Any]) -> str:
    least, most = row["min_processing_days"], row["max_processing_days"]
    days = f"{least}-{most} days" if least != most else counted(most, "day")
    return f"{row['readiness_state'].replace('_', ' ')}, {days}"


def _returns(row: dict[str, Any]) -> str:
    taken = [word for word in ("returns", "exchanges") if row.get(f"accepts_{word}")]
    within = f" within {row['return_deadline']} days" if taken and row.get("return_deadline") else ""
    return (" and ".join(taken) or "no returns") + within


def _leaves(nodes: Any, path: tuple[str, ...] = ()) -> list[Option]:  # noqa: ANN401 - Etsy's tree
    """Every category with its path, those above others too."""
    found: list[Option] = []
    for node in nodes:
        names = (*path, str(node["name"]))
        found.append(Option(id=node["id"], name=" > ".join(reversed(names))))
        found += _leaves(node.get("children") or (), names)
    return found
