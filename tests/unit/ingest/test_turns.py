"""Calls that hold a thread for long, or come by the dozen, are taken in turn: each says of which kind it is."""

from types import ModuleType

import pytest
from fastapi.routing import APIRoute

from services.ingest.api import cancelling, duplicates, etsy, retrying, reviewing, shop
from services.ingest.api.turns import QUICK, SLOW


@pytest.mark.parametrize("module", [cancelling, duplicates, etsy, retrying, reviewing, shop])
def test_every_call_has_its_turns(module: ModuleType) -> None:
    turns = {SLOW.dependency, QUICK.dependency}
    calls = [route for route in module.routes.routes if isinstance(route, APIRoute)]
    taken = {call.name: [each.call for each in call.dependant.dependencies if each.call in turns] for call in calls}
    assert {name for name, found in taken.items() if len(found) != 1} == set()
    assert taken
