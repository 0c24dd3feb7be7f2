"""The figures as a table, as JSON, and the worst cases as pictures."""

import io
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from tests.accuracy.measuring import Measured

WORST = 60
CELL = 256
TARGETS = {"recall": 0.98, "recall of each kind": 0.95, "precision": 0.999}


def figures(cases: Sequence[Measured]) -> dict[str, Any]:
    """Recall by kind of copy, precision by kind of twin: the copies among what was told to be one."""
    kinds: dict[str, list[Measured]] = defaultdict(list)
    for case in cases:
        kinds[case.kind].append(case)
    copies = {kind: each for kind, each in kinds.items() if each[0].expected}
    twins = {kind: each for kind, each in kinds.items() if not each[0].expected}
    right = sum(case.copy for case in cases if case.expected)
    wrong = sum(case.copy for case in cases if not case.expected)
    mean = right / max(1, len(copies))  # told copies of one kind: what a kind of twin is as many as
    return {
        "recall": right / max(1, sum(case.expected for case in cases)),
        "precision": right / max(1, right + wrong),
        "copies": {kind: _copy_figures(each) for kind, each in copies.items()},
        "twins": {kind: _twin_figures(each, mean) for kind, each in twins.items()},
    }


def _copy_figures(cases: Sequence[Measured]) -> dict[str, Any]:
    return {
        "n": len(cases),
        "recall": _share(case.copy for case in cases),
        "not found": sum(not case.found for case in cases),
        "not seen": sum(case.found and not case.copy for case in cases),
        "by hash alone": _share(case.by_hash for case in cases),
    }


def _twin_figures(cases: Sequence[Measured], mean: float) -> dict[str, Any]:
    wrong = sum(case.copy for case in cases)
    said: dict[str, int] = defaultdict(int)
    for case in cases:
        said[case.said] += 1
    return {
        "n": len(cases),
        "wrong": wrong,
        "precision": mean / max(mean + wrong, 1e-9) if mean else 0.0,
        "by hash alone": sum(case.by_hash for case in cases),
        "said": dict(said),
    }


def _share(answers: Iterable[bool]) -> float:
    all_ = list(answers)
    return sum(all_) / max(1, len(all_))


def table(found: dict[str, Any]) -> str:
    lines = [f"recall {found['recall']:.4f} (target {TARGETS['recall']}), precision {found['precision']:.5f}"]
    lines += ["", f"{'copy':26}{'n':>6}{'recall':>9}{'not found':>11}{'not seen':>10}{'hash alone':>12}"]
    for kind, each in found["copies"].items():
        lines.append(
            f"{kind:26}{each['n']:6}{each['recall']:9.4f}{each['not found']:11}{each['not seen']:10}"
            f"{each['by hash alone']:12.3f}"
        )
    lines += ["", f"{'twin':26}{'n':>6}{'wrong':>7}{'precision':>11}{'hash alone':>12}   said to be"]
    for kind, each in found["twins"].items():
        said = ", ".join(f"{name} {count}" for name, count in sorted(each["said"].items(), key=lambda s: -s[1]))
        lines.append(
            f"{kind:26}{each['n']:6}{each['wrong']:7}{each['precision']:11.5f}{each['by hash alone']:12}   {said}"
        )
    return "\n".join(lines)


def write(folder: Path, halves: dict[str, Sequence[Measured]], about: dict[str, Any]) -> None:
    """accuracy.json, accuracy.txt, worst.png."""
    found = {half: figures(cases) for half, cases in halves.items()}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "accuracy.json").write_text(json.dumps(about | {"halves": found}, indent=1))
    text = "\n\n".join(f"== {half}\n{table(each)}" for half, each in found.items())
    (folder / "accuracy.txt").write_text(text + "\n")
    wrong = [case for cases in halves.values() for case in cases if not case.right]
    _sheet(sorted(wrong, key=lambda case: case.expected)[:WORST], folder / "worst.png")


def _sheet(cases: Sequence[Measured], path: Path) -> None:
    """Twins taken for copies first, then copies that were missed: the original, what came, and the figures."""
    columns = 4
    rows = max(1, -(-len(cases) // columns))
    sheet = Image.new("RGB", (columns * (2 * CELL + 16), rows * (CELL + 44)), (200, 200, 200))
    for place, case in enumerate(cases):
        left, top = place % columns * (2 * CELL + 16), place // columns * (CELL + 44)
        for number, data in enumerate(case.pictures):
            picture = Image.open(io.BytesIO(data))
            sheet.paste(picture, (left + number * (CELL + 4), top), picture)
        apart = {name: round(value, 2) for name, value in asdict(case.apart).items()} if case.apart else {}
        words = f"{case.kind}: {case.said}{'' if case.found else ' (not found)'}\n{apart}"
        ImageDraw.Draw(sheet).text((left, top + CELL + 4), words, fill=(0, 0, 0))
    sheet.save(path)
