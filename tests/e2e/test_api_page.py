"""docs/api.md says what works: its commands are run as they stand there, on the system as processes."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from services.local.system import Running
from tests.images import saved
from tests.seller import artworks

PAGE = Path(__file__).parents[2] / "docs" / "api.md"
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
TOOLS = ("bash", "curl", "jq")
ITS_ADDRESS, ITS_SELLER = "http://localhost:3003", "ana@example.com"
SELLER = "page@example.com"
LAST = "echo; send $at/api/v1/sessions/$session/receipt"


@pytest.mark.skipif(not all(map(shutil.which, TOOLS)), reason=f"the page needs {', '.join(TOOLS)}")
def test_the_commands_of_the_page_go_from_an_account_to_a_listing(running: Running, tmp_path: Path) -> None:
    draw_what_it_uploads(tmp_path)
    beginning, account, *others = (
        block.replace(ITS_ADDRESS, running.base_url).replace(ITS_SELLER, SELLER)
        for block in BLOCK.findall(PAGE.read_text())
    )
    operator = shlex.join([sys.executable, "-m", "services.cli", "operator", "add", SELLER])
    script = "\n".join(["set -euo pipefail", beginning, account, operator, *others, LAST])
    environment = {**os.environ, **running.environment, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [shutil.which("bash") or "bash", "-c", script]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stderr}\n{done.stdout[-2000:]}"
    receipt = json.loads(done.stdout.splitlines()[-1])
    assert (receipt["received"], receipt["stored"], receipt["listed"]) == (2, 2, 2), receipt


def draw_what_it_uploads(folder: Path) -> None:
    for name, (_, data) in zip(("rose.png", "tulip.png"), artworks(2, seed=78), strict=True):
        (folder / name).write_bytes(data)
    (folder / "cup.png").write_bytes(saved(Image.new("RGB", (800, 600), (205, 190, 170))))
    (folder / "watermark.png").write_bytes(saved(Image.new("RGBA", (300, 80), (255, 255, 255, 128))))
