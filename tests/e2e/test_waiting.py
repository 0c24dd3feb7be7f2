"""Work that waits says so: in the progress line, in the session and in `/ready`, whichever process it is that waits."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.local.system import Running
from tests.e2e.conftest import until
from tests.seller import Seller, artworks

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
            assert ".presswork-nas is missing" in words
            told = seller.http.get(f"/api/v1/sessions/{session}").json()
            assert ".presswork-nas is missing" in told["waits_for"]
            assert told["message"].endswith(f"- waiting: {told['waits_for']}")
            ready = httpx.get(f"{running.base_url}/ready", trust_env=False)
            assert ready.status_code == 200, "the other calls are answered"
            assert any(line.startswith("storage: ") for line in ready.json()["waits_for"])
        finally:
            kept.rename(mark)
        assert len(upload.result().json()["designs"]) == 3
        until(lambda: not seller.http.get("/ready").json()["waits_for"] or None)
        frames = stream.frames
        assert all(frame["step"] < 4 and frame["progress_percent"] < 100 for frame in frames if "step" in frame)


def said(frames: list[dict[str, Any]], line: str) -> str | None:
    told = (frame["message"] for frame in frames if frame.get("message", "").startswith(f"{line} - waiting: "))
    return next(told, None)
