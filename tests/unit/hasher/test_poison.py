"""A file that kills its decoder, or holds it up, is refused in words; the rest of its batch goes on."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from signal import Signals
from uuid import uuid4

import pytest

from services.decoding.isolation import Isolated
from services.hasher import service
from services.hasher.made import Result
from services.hasher.rejection import Rejected
from services.hasher.settings import Settings
from shared.blobs import Blobs
from shared.bus.envelope import answer_id
from shared.contracts import BatchSubmitted, ImageHashed, ImageRejected
from tests.images import saved
from tests.unit.hasher import poisoned
from tests.unit.hasher.samples import artwork, batch_of

ROOT = Path(__file__).parents[3]
HEAVY = {"numpy", "cv2", "PIL", "imagecodecs", "imagehash", "scipy"}


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(service, "MAKER", poisoned.MAKER)
    return Settings(blob_dir=tmp_path / "blobs")


def picture(seed: int) -> bytes:
    return saved(artwork(seed=seed), "PNG")


def answers(batch: BatchSubmitted, settings: Settings) -> Iterator[ImageHashed | ImageRejected]:
    for answer in service.build(settings).handlers[BatchSubmitted].call(batch) or ():
        assert isinstance(answer, ImageHashed | ImageRejected)
        yield answer


def refusal(data: bytes, settings: Settings) -> ImageRejected:
    (answer,) = answers(batch_of(Blobs(settings.blob_dir), {"rose.png": data}), settings)
    assert isinstance(answer, ImageRejected)
    return answer


def test_one_killer_of_five_costs_itself_and_a_repeat_says_the_same(settings: Settings) -> None:
    files = {f"{seed}.png": picture(seed) for seed in range(1, 6)}
    files["3.png"] = poisoned.killer(files["3.png"])
    batch, message = batch_of(Blobs(settings.blob_dir), files), uuid4()
    first = list(answers(batch, settings))
    assert [type(answer).__name__ for answer in first] == [*["ImageHashed"] * 2, "ImageRejected", *["ImageHashed"] * 2]
    assert [answer.filename for answer in first] == list(files)
    again = list(answers(batch, settings))
    assert again == first
    assert [answer_id(message, answer, index) for index, answer in enumerate(again)] == [
        answer_id(message, answer, index) for index, answer in enumerate(first)
    ]


def test_a_crash_is_told_with_its_signal_and_what_to_do(settings: Settings) -> None:
    answer = refusal(poisoned.killer(picture(1)), settings)
    assert answer.code == "crashed"
    assert answer.reason == (
        "rose.png: this file makes the image decoder crash (signal SIGSEGV); export it again as PNG"
    )


def test_a_decoder_that_the_kernel_kills_had_too_little_memory(settings: Settings) -> None:
    answer = refusal(poisoned.killer(picture(1), Signals.SIGKILL), settings)
    assert answer.code == "crashed"
    assert answer.reason.endswith(
        "(signal SIGKILL: most likely it needs more memory than the server has); export it smaller"
    )


def test_a_decoder_that_comes_to_no_end_is_ended(settings: Settings) -> None:
    hasty = settings.model_copy(update={"decode_limit_seconds": 0.5})
    answer = refusal(picture(1) + poisoned.HANGS, hasty)
    assert answer.code == "timed_out"
    assert answer.reason == ("rose.png: decoding it was given up after 0.5 s; export it again as PNG")


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is the kernel's")
def test_a_picture_for_which_the_memory_does_not_suffice_is_refused(settings: Settings) -> None:
    setup = (settings.blob_dir, settings.limits)
    call = Isolated[..., Result](service.MAKER, setup, memory_bytes=30_000_000)
    batch = batch_of(Blobs(settings.blob_dir), {"large.png": saved(artwork(3000, 3000), "PNG")})
    with pytest.raises(Rejected) as rejected:
        call(batch.files[0].upload, batch.print_spec)
    assert rejected.value.code == "out_of_memory"


def test_the_hasher_itself_needs_no_image_library() -> None:
    program = "import sys, services.hasher.__main__ as m; m.build(m.Settings()); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert HEAVY & set(loaded.stdout.split()) == set()
