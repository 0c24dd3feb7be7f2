"""A design's row: the columns that a message changes, and what they say. Pure."""

from typing import Any

from sqlalchemy import Row

from services.storage.acceptance import Acceptance
from services.storage.design import UNNUMBERED, Cause, Design
from services.storage.giving_up import Ending, GivingUp
from services.storage.placing import counter_key
from shared.contracts import ImageAccepted, ItemEvent


def new_row(event: ItemEvent, state: str) -> dict[str, Any]:
    """The row of an item of which this is the first message."""
    of_event = event.model_dump(include={"item_id", "tenant_id", "session_id", "index", "generation", "filename"})
    return of_event | {"state": state}


def of_accepted(event: ImageAccepted) -> dict[str, Any]:
    """The columns that say what was accepted."""
    place = event.destination
    return {
        "accepted": event.model_dump(mode="json"),
        "sha256": event.print_file.sha256,
        "size": event.print_file.size,
        "counter_key": counter_key(place.shop, place.template, digital=place.digital),
    }


def changes_by(meaning: Acceptance, row: Row[Any], event: ImageAccepted) -> dict[str, Any]:
    """The columns that such an acceptance changes."""
    if meaning is Acceptance.KEEPS_NUMBER:
        return with_number(event, Cause.of(event))
    if meaning is Acceptance.OPENS_AGAIN:
        return _opened_again(event, row)
    if meaning is Acceptance.MUST_HEAR_FAILURE:
        return of_accepted(event) | answered_by(Cause.of(event))
    return answered_by(Cause.of(event)) if meaning is Acceptance.GIVES_NAME else {}


def changes_by_end(meaning: GivingUp, row: Row[Any], event: Ending, state: str) -> dict[str, Any]:
    """The columns that change when a message gives the item up so."""
    if meaning is GivingUp.CHANGES_NOTHING:
        return {}
    if meaning is GivingUp.TOLD_ONCE_MORE:
        accepted = row.accepted | {"generation": event.generation}
        return with_number(ImageAccepted.model_validate(accepted), Cause.of(event))
    answers = answered_by(Cause.of(event)) if meaning is GivingUp.MUST_BE_HEARD else {}
    return {"generation": event.generation, "state": state, "reason": event.reason, **answers}


def with_number(event: ImageAccepted, cause: Cause) -> dict[str, Any]:
    """The columns that change when an item keeps its number as this generation."""
    return {"generation": event.generation, "accepted": event.model_dump(mode="json"), **answered_by(cause)}


def _opened_again(event: ImageAccepted, row: Row[Any]) -> dict[str, Any]:
    gone = dict.fromkeys(("reason", "number", "name", "path", "cause_type", "cause_item_id", "cause_generation"))
    reopened = row.reopened or row.state not in UNNUMBERED
    return {
        **gone, **of_accepted(event), "generation": event.generation, "state": "accepted", "reopened": reopened,
    }  # fmt: skip


def answered_by(cause: Cause) -> dict[str, Any]:
    """The columns that say which message answers for the item."""
    return {"cause_type": cause.type, "cause_item_id": cause.item_id, "cause_generation": cause.generation}


def is_answered_by(row: Row[Any], event: ItemEvent) -> bool:
    """Whether this message answers for the item."""
    return Cause.of(event) == Cause(row.cause_type, row.cause_item_id, row.cause_generation)


def design_of(row: Row[Any]) -> Design:
    """The accepted item that the row is of."""
    return Design(ImageAccepted.model_validate(row.accepted), row.state, row.number, row.reason)
