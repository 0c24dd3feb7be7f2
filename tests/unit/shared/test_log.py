"""Log lines are for people: no work depends on them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

WORK = """
import structlog
from shared import log

log.configure("INFO", "storage")
structlog.get_logger().warning("outage: messages wait", cause="the NAS is full")
print("the work goes on")
"""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is always full")
def test_a_disk_that_has_no_room_for_log_lines_ends_nothing() -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-c", WORK]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=full, text=True, check=False, timeout=60)
    assert done.stdout == "the work goes on\n"


def test_a_log_line_is_one_of_json_on_standard_error() -> None:
    done = subprocess.run([sys.executable, "-c", WORK], capture_output=True, text=True, check=True, timeout=60)
    (line,) = done.stderr.splitlines()
    said = json.loads(line)
    assert (said["service"], said["level"], said["event"]) == ("storage", "warning", "outage: messages wait")
