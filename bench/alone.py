"""A hasher's process without a broker: it handles each batch that comes as a line, and says what became of it."""

import sys

from services.hasher.service import build
from services.hasher.settings import Settings
from shared.bus import run
from shared.contracts import BatchSubmitted

LOADED = run  # a real one has it in memory


def main() -> None:
    """Until the input ends."""
    handler = build(Settings()).handlers[BatchSubmitted]
    for line in sys.stdin:
        answers = handler.call(BatchSubmitted.model_validate_json(line)) or ()
        print(*(type(answer).__name__ for answer in answers), flush=True)


if __name__ == "__main__":
    main()
