"""`make bench` and `make bench-compare`: `python -m bench [GROUP ...]`, `python -m bench --compare OLD.json`."""

import argparse
import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from bench import report
from bench.figures import Figure
from bench.rows import GROUPS, measured

HOME = Path(".bench")
CORPUS = HOME / "corpus"
RESULT = HOME / "result.json"
PAGE = Path("docs/performance.md")


def main() -> None:
    """Measure what is named, or all of it; or compare what was measured."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"of {', '.join(GROUPS)}; all if none is named")
    parser.add_argument("--rounds", type=int, default=5, help="how often each thing is timed (default: 5)")
    parser.add_argument(
        "--large",
        action="store_true",
        help="ten million known hashes too: 12 GB of disk, 6 GB of memory, eight minutes",
    )
    parser.add_argument("--compare", type=Path, metavar="OLD.json", help=f"with {RESULT}; nothing is measured")
    chosen = parser.parse_args()
    if chosen.compare:
        print(report.compared(report.load(chosen.compare), report.load(RESULT)))
        return
    if unknown := set(chosen.groups) - set(GROUPS):
        parser.error(f"no such group: {', '.join(sorted(unknown))}")
    if chosen.large:
        os.environ["BENCH_LARGE"] = "1"  # inherited by the process of its group
    CORPUS.mkdir(parents=True, exist_ok=True)
    figures = [figure for group in chosen.groups or GROUPS for figure in _in_its_own_process(group, chosen.rounds)]
    report.save(figures, RESULT)
    print(report.table(figures))
    if not chosen.groups:
        report.write_into(PAGE, figures)


def _in_its_own_process(group: str, rounds: int) -> list[Figure]:
    print(f"measuring: {group}", flush=True)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(measured, group, CORPUS.absolute(), rounds).result()


if __name__ == "__main__":
    main()
