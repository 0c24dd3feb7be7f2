"""Work that waits says so: in the progress line, in the session and in `/ready`, whichever process it is that waits."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.local.system import Running
from tests.seller import Seller, artworks
from tests.waiting import until

pytestmark = [pytest.mark.rabbit, pytest.mark.postgres]

SECONDS = 60
"""A NAS call tries again for some seconds before it says that the NAS is away; on a busy machine for some more."""


def test_an_upload_says_within_seconds_that_it_waits_for_the_nas_and_goes_on_when_it_is_back(
    running: Running, nas: Path
) -> None:
    mark = nas / ".presswork-nas"
    kept = mark.rename(nas.with_name("mark"))
    with Seller(running.base_url) as seller, ThreadPoolExecutor(1) as pool:
        try:
            files = artworks(3)
            session = seller.announce(files)
            stream = seller.follow(session)
            upload = pool.submit(seller.post, session, files)
            words = until(lambda: said(stream.frames, "Processing and formatting images (0/3)"), within_s=SECONDS)
            assert "the NAS is not there; it goes on by itself when the NAS is back" in words
            told = seller.http.get(f"/api/v1/sessions/{session}").json()
            assert "the NAS is not there" in told["waits_for"]
            assert told["message"].endswith(f"- waiting: {told['waits_for']}")
            ready = httpx.get(f"{running.base_url}/ready", trust_env=False)
            assert ready.status_code == 200, "the other calls are answered"
            assert any(line.startswith("storage: ") for line in ready.json()["waits_for"])
        finally:
            kept.rename(mark)
        assert len(upload.result().json()["designs"]) == 3
        until(lambda: not seller.http.get("/ready").json()["waits_for"])
        shown = [frame for frame in stream.frames if "step" in frame]
        assert len(shown) > 2
        assert all(frame["step"] < 4 and frame["progress_percent"] < 100 for frame in shown)


@pytest.mark.parametrize("away", ["south", "common"])
def test_nobody_waits_for_the_nas_of_another_shop(
    running: Running, nas: Path, nas_of_south: Path, south: Seller, away: str
) -> None:
    mark = (nas if away == "common" else nas_of_south) / ".presswork-nas"
    kept = mark.rename(mark.with_name(f"{away}-mark"))
    with Seller(running.base_url) as north, ThreadPoolExecutor(1) as pool:
        waits, goes_on = (north, south) if away == "common" else (south, north)
        seed = 7 if away == "common" else 8
        try:
            files = artworks(12, seed)  # more than storage has in hand at a time
            session = waits.announce(files)
            stream = waits.follow(session)
            upload = pool.submit(waits.post, session, files)
            line = "Processing and formatting images (0/12)"
            assert "the NAS is not there" in until(lambda: said(stream.frames, line), within_s=SECONDS)
            other, designs = goes_on.upload(artworks(6, seed + 10))
            assert goes_on.list_designs([design["id"] for design in designs])["success"]
            assert (len(designs), goes_on.receipt(other)["listed"]) == (6, 6)
            assert goes_on.http.get(f"/api/v1/sessions/{other}").json()["waits_for"] is None
            assert waits.receipt(session)["stored"] == 0
            ready = httpx.get(f"{running.base_url}/ready", trust_env=False).json()
            assert [line for line in ready["waits_for"] if line.startswith("storage: ")]
        finally:
            kept.rename(mark)
        assert upload.result().status_code == 201
        receipt = waits.receipt(session)
    numbers = [int(item["name"].split()[1]) for item in receipt["items"]]
    assert numbers == list(range(numbers[0], numbers[0] + 12)), "in the order of upload"
    assert (nas_of_south / "SouthCups").is_dir()
    assert not (nas / "SouthCups").exists()


def said(frames: list[dict[str, Any]], line: str) -> str | None:
    told = (frame["message"] for frame in frames if frame.get("message", "").startswith(f"{line} - waiting: "))
    return next(told, None)
