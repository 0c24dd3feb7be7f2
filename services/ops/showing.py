"""What commands print: for people as text, for programs as JSON."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="print JSON, for programs")]


def printable(text: object) -> str:
    """What a seller typed, in one line, without what would steer a terminal, forge a line or turn its direction."""
    return "".join(character if character.isprintable() else "\ufffd" for character in str(text))


def as_json(value: object) -> None:
    """One JSON document."""
    line(json.dumps(value, default=str, indent=2, ensure_ascii=False))


def line(text: str, *, err: bool = False) -> None:
    """Print it. Where its reader has gone (`| head`), it and what follows go nowhere, and what was ordered goes on."""
    try:
        typer.echo(text, err=err)
    except BrokenPipeError:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), (sys.stderr if err else sys.stdout).fileno())
