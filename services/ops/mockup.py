"""`presswork mockup`: templates of photographs, checked, looked at and brought into the system."""

from pathlib import Path
from typing import Annotated, NoReturn

import typer

from services.ops.place import HERE, DataDir, new_file
from services.plurals import counted

app = typer.Typer(
    help="Mockup templates: photographs that know where designs go (docs/mockups.md).", no_args_is_help=True
)

Place = Annotated[Path, typer.Argument(help="the folder with presswork-mockup.json and its pictures")]
Shown = Annotated[
    list[Path],
    typer.Argument(metavar="[FOLDER] DESIGN", help="a template's folder, unless --image is given, and a design"),
]
Image = Annotated[
    str | None,
    typer.Option(help="a photograph in the system: its id, its file's name, or its group's if that has no other"),
]
Colour = Annotated[str | None, typer.Option(help="one of the template's garment colours, by its name")]
Colours = Annotated[
    list[str] | None,
    typer.Option("--colour", help="one of the template's garment colours; repeat it for a photograph of each"),
]
Cut = Annotated[str | None, typer.Option(help="cut the picture to these, as 4:3 or 1:1, whatever the template says")]
Sized = Annotated[
    str | None,
    typer.Option("--size", help="what designs are printed as: with --image a canvas or size; inches, as 9.5x4.33"),
]


@app.command()
def lint(folder: Place) -> None:
    """Say what is wrong with a template. Exit code 1 if mockups can't be made from it."""
    from services.mockup.authoring.folder import Folder
    from services.mockup.authoring.linting import lint as look

    found = look(Folder(folder))
    for words in found.errors:
        typer.echo(f"error: {words}")
    for words in found.remarks:
        typer.echo(f"remark: {words}")
    if found.errors:
        raise typer.Exit(1)
    remarks = counted(len(found.remarks), "remark")
    typer.echo(f"{folder}: no errors, {remarks}. Look at it: presswork mockup preview {folder} DESIGN.png")


@app.command()
def preview(
    shown: Shown,
    image: Image = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="where the picture goes, a JPEG")] = Path("mockup.jpg"),
    outlines: Annotated[bool, typer.Option("--outlines", help="draw the print areas and how they are bent")] = False,
    colour: Colour = None,
    proportions: Cut = None,
    size: Sized = None,
    data: DataDir = HERE,
) -> None:
    """Render one picture to look at, with the design trimmed and laid out as an upload of it would be printed."""
    from services.ingest.catalog.errors import Unusable
    from services.mockup.faults import NotRenderable
    from services.mockup.pictures import jpeg
    from services.ops.mockup_previewing import content_of, of_folder, of_photograph, picture_of, print_of

    *folders, design = shown
    if len(folders) + (image is not None) != 1 or (image and (colour or proportions)):
        words = "give a template's folder or --image, and a design; --colour and --proportions go with a folder"
        raise typer.BadParameter(words)
    if out.suffix.lower() not in {".jpg", ".jpeg"}:
        raise typer.BadParameter(f"{out}: the picture is a JPEG; name it .jpg")
    try:
        content = content_of(design)
        if image is None:
            scene = of_folder(folders[0], colour, proportions, size)
        else:
            scene = of_photograph(image, size, content, data)
        made = print_of(design, content, scene, data)
    except (NotRenderable, Unusable) as error:
        _stop(error)
    picture = picture_of(scene, made.pixels, outlines=outlines)
    with new_file(out, "wb") as file:
        file.write(jpeg(picture))
    for words in (*scene.remarks, *(f"{design}: {words}" for words in made.remarks)):
        typer.echo(f"remark: {words}")
    typer.echo(f"{out}: {picture.shape[1]} x {picture.shape[0]} pixels; {design} {made.done}")


@app.command("import")
def import_template(
    folder: Place,
    group: Annotated[
        str | None, typer.Option(help="a mockup group, by its name or id: a new photograph for it")
    ] = None,
    image: Image = None,
    colours: Colours = None,
    proportions: Cut = None,
    data: DataDir = HERE,
) -> None:
    """Bring a template into the system: with --group its photograph too, with --image for the one that is there."""
    from services.ingest.catalog.errors import Unusable
    from services.mockup.faults import NotRenderable
    from services.ops.mockup_importing import imported

    if (group is None) == (image is None) or (image and len(colours or ()) > 1):
        raise typer.BadParameter("give --group or --image; a single image has a single colour")
    try:
        made = imported(folder, group, image, colours or [None], proportions, data)
    except (NotRenderable, Unusable) as error:
        _stop(error)
    there = "" if data == HERE else f" --data {data}"
    for image_id in made:
        look_at_it = f"presswork mockup preview --image {image_id} DESIGN.png{there}"
        typer.echo(f"photograph {image_id}: look at it with {look_at_it}")


@app.command("from-psd")
def from_psd(
    file: Annotated[Path, typer.Argument(help="a Photoshop mockup", exists=True, dir_okay=False)],
    folder: Annotated[Path, typer.Argument(help="the template's folder, which is made")],
    slot: Annotated[
        list[str] | None, typer.Option(help="layer of a smart object for designs, if not all are; repeatable")
    ] = None,
) -> None:
    """Make a template of a Photoshop file, whose smart objects are the places for designs."""
    from services.mockup.authoring.photoshop import imported
    from services.mockup.faults import NotRenderable

    try:
        found = imported(file, folder, slot or ())
    except NotRenderable as error:
        _stop(error)
    for words in found.remarks:
        typer.echo(f"remark: {words}")
    areas = counted(len(found.template.areas), "print area")
    names = ", ".join(area.name for area in found.template.areas)
    typer.echo(f"{folder}: {areas} ({names}). Check it: presswork mockup lint {folder}")


@app.command()
def origin(
    picture: Annotated[Path, typer.Argument(help="a finished mockup, as it lies on the NAS", exists=True)],
    data: DataDir = HERE,
) -> None:
    """Say of which design, photograph and template a picture was made, and what of it has changed since."""
    from services.mockup.faults import NotRenderable
    from services.mockup.provenance import origin_in
    from services.ops.mockup_origins import described
    from services.ops.place import database
    from shared.database import transaction

    try:
        found = origin_in(picture.read_bytes())
    except (NotRenderable, OSError) as error:
        _stop(NotRenderable(f"{picture}: {error}"))
    with database(data) as engine, transaction(engine) as connection:
        for words in described(found, connection):
            typer.echo(words)


@app.command()
def mesh(
    folder: Place,
    area: Annotated[str, typer.Argument(help="the print area's name")],
    rows: Annotated[int, typer.Option(min=2, max=25, help="rows of points")] = 5,
    columns: Annotated[int, typer.Option(min=2, max=25, help="points in each")] = 5,
) -> None:
    """Turn a print area into a mesh that lies where it lay, for you to move its points.

    The template is written anew; as it was it stays beside it.
    """
    from services.mockup.authoring.folder import Folder
    from services.mockup.authoring.meshing import as_mesh
    from services.mockup.faults import NotRenderable
    from services.mockup.template import FILE_NAME

    place = Folder(folder)
    try:
        given = as_mesh(place.template(), area, rows, columns)
        before = place.set_aside()
        place.write(given)
    except (NotRenderable, OSError) as error:
        _stop(error)
    typer.echo(f"{folder / FILE_NAME}: {area} is a mesh of {rows} x {columns} points now; as it was: {before}")
    typer.echo(f"Move the points, and look: presswork mockup preview {folder} DESIGN.png --outlines")


def _stop(error: Exception) -> NoReturn:
    """Each of its mistakes on a line of its own."""
    for words in getattr(error, "mistakes", (str(error),)):
        typer.echo(words, err=True)
    raise typer.Exit(1)
