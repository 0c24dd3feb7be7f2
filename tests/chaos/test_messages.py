"""Messages that kill, that nobody can read, that come twice and in any order; files that are none."""

import io
import json
from uuid import uuid4

import pytest
from PIL import Image, PngImagePlugin

from tests.chaos import broker_control as control
from tests.chaos.conftest import Case
from tests.chaos.duplicator import Duplicator
from tests.chaos.failpoints import MAKE, PREPARE
from tests.images import saved
from tests.seller import File
from tests.waiting import until

DELIVERY_LIMIT = 10
SERVICES = ("hasher", "dedup", "storage", "mockup", "publisher", "ingest")


def marked(file: File, marker: str) -> File:
    """The same picture with a word inside, by which a failpoint knows it."""
    note = PngImagePlugin.PngInfo()
    note.add_text("Comment", marker)
    return file[0], saved(Image.open(io.BytesIO(file[1])), pnginfo=note)


def test_f19_file_that_kills_its_process(case: Case) -> None:
    files, marker = case.files(4), f"poison {case.seed}"
    bad = case.chance.randrange(4)
    files[bad] = marked(files[bad], marker)
    shot = case.world.points.arm(PREPARE, "before", "kill", marker, lasting=True)
    work = case.begin(files, expected={bad: "rejected"})  # decoding dies alone, in a process of its own
    case.balance(work)
    assert shot.fired > 0


def test_f19_file_that_kills_its_hasher(case: Case) -> None:
    """The broker buries its batch, which is sent again file by file: the others are stored, and it is buried alone."""
    bad = case.chance.randrange(4)
    shot = case.world.points.arm(MAKE, "before", "kill", f"name='design-{bad}.png'", lasting=True)
    work = case.begin(case.files(4), expected={bad: "failed"}, dead_letters=2)
    case.balance(work, within_s=300)
    assert shot.fired > 2 * DELIVERY_LIMIT


@pytest.mark.parametrize("kind", ["no json", "unknown type", "wrong body", "deep", "huge header"])
def test_f20_message_that_nobody_can_read(case: Case, kind: str) -> None:
    marker = f"{kind} {uuid4()}"
    envelope = {"specversion": "1.0", "id": str(uuid4()), "type": "ImageHashed", "data": {"session_id": marker}}
    bodies = {
        "no json": marker,
        "unknown type": json.dumps({**envelope, "type": "NoSuchThing"}),
        "wrong body": json.dumps(envelope),
        "deep": f'{{"{marker}": {"[" * 5000}',
        "huge header": marker,
    }
    headers = {"x-huge": "x" * 100_000, "x-cause": "y" * 5000} if kind == "huge header" else {}
    work = case.begin()
    for service in SERVICES:
        control.send(case.world.broker, f"presswork.{service}", bodies[kind].encode(), headers)
    until(lambda: len(control.letters(case.world, marker)) >= len(SERVICES), what="not all are archived")
    case.balance(work)
    assert sorted(letter["service"] for letter in control.letters(case.world, marker)) == sorted(SERVICES)


def test_f21_bad_files_among_fifty(case: Case) -> None:
    files = case.files(50)
    bad = case.chance.sample(range(50), 3)
    damages = [lambda data: data[: len(data) // 2], lambda _: b"not a picture", lambda _: b""]
    for index, damage in zip(bad, damages, strict=True):
        files[index] = (files[index][0], damage(files[index][1]))
    case.balance(case.begin(files, expected=dict.fromkeys(bad, "rejected")))


@pytest.mark.chaos_short
def test_f24_every_event_twice_and_shuffled(case: Case) -> None:
    files = case.files(7)
    files.append(("broken.png", b"not a picture"))
    with Duplicator(case.world.broker.url, case.chance) as duplicator:
        work = case.begin(files, expected={7: "rejected"})
        case.balance(work)
    assert duplicator.copies > 5 * len(files)
    case.balance(work)
