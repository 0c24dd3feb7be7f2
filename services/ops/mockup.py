"""`presswork mockup`: templates of photographs, checked, looked at and brought into the system."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="Mockup templates: photographs that know where a design goes (docs/mockups.md).", no_args_is_help=True
)

Place = Annotated[Path, typer.Argument(help="the folder with presswork-mockup.json and its pictures")]
Colour = Annotated[str | None, typer.Option(help="one of the template's garment colours, by its name")]


@app.command()
def lint(folder: Place) -> None:
    """Say what is wrong with a template. Exit code 1 if mockups can't be made from it."""
    from services.mockup.folder import Folder
    from services.mockup.linting import lint as look

    found = look(Folder(folder))
    for words in found.errors:
        typer.echo(f"error: {words}")
    for words in found.remarks:
        typer.echo(f"remark: {words}")
    if found.errors:
        raise typer.Exit(1)
    typer.echo(
        f"{folder}: no errors, {len(found.remarks)} remarks. Look at it: presswork mockup preview {folder} DESIGN.png"
    )


@app.command()
def preview(
    folder: Place,
    design: Annotated[Path, typer.Argument(help="a design, PNG", exists=True, dir_okay=False)],
    out: Annotated[Path, typer.Option("--out", "-o", help="where the picture goes")] = Path("mockup.jpg"),
    outlines: Annotated[bool, typer.Option("--outlines", help="draw the print areas and how they are bent")] = False,
    colour: Colour = None,
) -> None:
    """Render one picture to look at."""
    from services.mockup.faults import Unusable
    from services.mockup.folder import Folder, drawn
    from services.mockup.outlines import outlined
    from services.mockup.pictures import jpeg

    place = Folder(folder)
    try:
        given = place.template().in_colour(colour)
        background = place.prepared(given)
        picture = drawn(background, design.read_bytes())
    except Unusable as error:
        typer.echo(f"{folder}: {error}", err=True)
        raise typer.Exit(1) from error
    if outlines:
        picture = outlined(picture, background, tuple(area.name for area in given.areas))
    out.write_bytes(jpeg(picture))
    typer.echo(f"{out}: {picture.shape[1]} x {picture.shape[0]} pixels")
