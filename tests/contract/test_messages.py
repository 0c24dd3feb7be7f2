"""The wire format: every message against its golden file. A renamed class or field fails here.

A new message gets a new file, written by hand or with `shared.bus.envelope.seal`; an existing file never changes.
"""

import json
from pathlib import Path

import pytest

from shared.bus.envelope import Undecodable, seal, types, unseal

GOLDEN = Path(__file__).parent / "golden"
EVENTS_BASES = {"ItemEvent", "Prepared"}
WIRE = sorted(set(types()) - EVENTS_BASES)


@pytest.mark.parametrize("name", WIRE)
def test_a_message_reads_and_writes_as_its_golden_file(name: str) -> None:
    golden = (GOLDEN / f"{name}.json").read_text()
    envelope = unseal(golden.encode())
    assert type(envelope.message).__name__ == name
    expected = json.loads(golden)
    written = json.loads(seal(envelope))
    assert written | {"time": ""} == expected | {"time": ""}


def test_every_golden_file_has_its_message() -> None:
    assert sorted(file.stem for file in GOLDEN.glob("*.json")) == WIRE


@pytest.mark.parametrize("name", WIRE)
def test_unknown_fields_are_ignored(name: str) -> None:
    body = json.loads((GOLDEN / f"{name}.json").read_text())
    body["data"]["added_in_a_later_release"] = 1
    assert unseal(json.dumps(body).encode()).message == unseal((GOLDEN / f"{name}.json").read_bytes()).message


@pytest.mark.parametrize("name", WIRE)
def test_a_missing_required_field_is_named(name: str) -> None:
    body = json.loads((GOLDEN / f"{name}.json").read_text())
    required = next(field for field, about in types()[name].model_fields.items() if about.is_required())
    del body["data"][required]
    with pytest.raises(Undecodable, match=f"{name}: {required}: Field required"):
        unseal(json.dumps(body).encode())


@pytest.mark.parametrize(
    "body", [b"", b"\xff", b"[]", b"null", b"{}", b'{"type": 5}', b'{"type":"StoreFile","id":"x","data":{}}']
)
def test_bytes_that_are_no_message_are_undecodable(body: bytes) -> None:
    with pytest.raises(Undecodable):
        unseal(body)
