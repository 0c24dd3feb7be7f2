"""Figures as JSON, as a table, against older ones, and in docs/performance.md."""

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from bench.figures import Figure

BEGIN, END = "<!-- figures: written by make bench -->", "<!-- end of figures -->"


def machine() -> str:
    """In general terms: what a reader needs to judge the spread, and nothing that names a host."""
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    python = ".".join(platform.python_version_tuple()[:2])
    busy = os.getloadavg()[1] / (os.cpu_count() or 1)
    return (
        f"{os.cpu_count()} cores ({platform.machine()}), {memory_gb:.0f} GB, {platform.system()}, Python {python}; "
        f"load {busy:.1f} per core while it ran"
    )


def save(figures: Sequence[Figure], path: Path) -> None:
    """Write them for `make bench-compare`."""
    kept = {"machine": machine(), "figures": [asdict(figure) for figure in figures]}
    path.write_text(json.dumps(kept, indent=1) + "\n")


def load(path: Path) -> list[Figure]:
    """What `save` wrote."""
    rows = json.loads(path.read_text())["figures"]
    return [Figure(**{**row, "values": tuple(row["values"])}) for row in rows]


def table(figures: Sequence[Figure]) -> str:
    """Markdown, a line for each figure."""
    lines = ["| what | asked | median | from - to | met |", "|---|---|---|---|---|"]
    for figure in figures:
        low, high = _short(min(figure.values)), _short(max(figure.values))
        spread = f"{low} - {high} ({len(figure.values)})"
        asked = f"{figure.better} {_short(figure.target)}"
        met = "yes" if figure.met else "**no**"
        lines.append(f"| {figure.name} | {asked} {figure.unit} | {_short(figure.middle)} | {spread} | {met} |")
    for figure in figures:
        if figure.beside:
            lines += [
                "",
                f"{figure.name}: " + ", ".join(f"{key} {_short(n)}" for key, n in figure.beside.items()) + ".",
            ]
    return "\n".join(lines)


def compared(old: Sequence[Figure], new: Sequence[Figure]) -> str:
    """How the medians changed; beyond both runs' spreads is marked."""
    before = {figure.name: figure for figure in old}
    lines = ["| what | before | now | change |", "|---|---|---|---|"]
    for figure in new:
        if (was := before.get(figure.name)) is not None:
            apart = min(figure.values) > max(was.values) or max(figure.values) < min(was.values)
            change = f"{100 * (figure.middle / was.middle - 1):+.0f} %" if was.middle else "-"
            mark = " (beyond the spread of both)" if apart else ""
            lines.append(f"| {figure.name} | {_short(was.middle)} | {_short(figure.middle)} | {change}{mark} |")
    return "\n".join(lines)


def write_into(page: Path, figures: Sequence[Figure]) -> None:
    """Put the table between the marks of a page."""
    text = page.read_text()
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    page.write_text(f"{before}{BEGIN}\n\n{machine()}\n\n{table(figures)}\n\n{END}{after}")


def _short(number: float) -> str:
    return f"{number:.0f}" if abs(number) >= 100 else f"{number:.3g}"
