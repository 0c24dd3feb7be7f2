"""What commands print: for people as text, for programs as JSON."""

import json

import typer


def printable(text: object) -> str:
    """What a seller typed, in one line, without what would steer a terminal, forge a line or turn its direction."""
    return "".join(character if character.isprintable() else "\ufffd" for character in str(text))


def as_json(value: object) -> None:
    """One JSON document."""
    typer.echo(json.dumps(value, default=str, indent=2, ensure_ascii=False))
