"""The command `presswork`. It imports services late: each starts without the libraries of the others."""

import contextlib
import gc
import importlib
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from services.etsy_setup import commands as etsy
from services.legacy.command import import_legacy
from services.ops import accounts, dead, mockup, nas, operators, spool, topology
from services.ops.duplicates import duplicates
from services.ops.init import init
from services.ops.lanes import lanes
from services.ops.place import HERE, NOTHING, DataDir, join, misset
from services.ops.retry import retry
from services.ops.review import review
from services.ops.sessions import receipt, sessions
from services.ops.uploads import Upload
from services.ops.waits import waits

app = typer.Typer(
    help="From a seller's designs to listings: six services over RabbitMQ.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",  # paragraphs flow: else a docstring's line ends stay in them
    pretty_exceptions_enable=False,  # a frame of boxes pushes the cause out of a log's last lines
)

Port = Annotated[int, typer.Option(help="port of the HTTP API", min=1, max=65535)]
Host = Annotated[
    str | None, typer.Option(help="address to listen on; else HOST, else 127.0.0.1; 0.0.0.0 is all this machine has")
]
NewDataDir = Annotated[Path, typer.Option("--data", help="folder for everything that is kept")]


def run(
    name: Annotated[str, typer.Argument(help="ingest, hasher, dedup, storage, mockup or publisher")],
    data: DataDir = HERE,
) -> None:
    """Run one service in this process; run it as often as you like, beside a `presswork up` too."""
    from services.embedded import WORKERS
    from services.ops.inspection import inspection
    from shared.settings import BusSettings

    join(data)
    if name == "ingest":
        _run_ingest()
    elif name in WORKERS:
        with _loading():
            service = importlib.import_module(f"services.{name}.__main__")
        service.main(inspection(BusSettings()))
    else:
        raise typer.BadParameter(f"no service is called {name!r}; there are ingest, {', '.join(WORKERS)}")


def up(
    data: NewDataDir = HERE,
    port: Port = 3003,
    host: Host = None,
    embedded: Annotated[bool, typer.Option("--embedded", help="everything in one process, without a broker")] = False,
    scale: Annotated[list[str] | None, typer.Option(help="processes of a service, like hasher=4; repeatable")] = None,
    new_nas: Annotated[bool, typer.Option("--new-nas", help="take the NAS (NAS_URL) into use: once, mounted")] = False,
    adopt: Annotated[bool, typer.Option("--adopt", help="with --new-nas: though it holds files already")] = False,
) -> None:
    """Start the whole system on this machine; Ctrl-C stops it cleanly. A NAS once named (NAS_URL) is kept."""
    from services.local.process import NotStarted
    from services.local.system import Plan, run_until_stopped

    if adopt and not new_nas:
        raise typer.BadParameter("--adopt goes with --new-nas")
    plan = Plan(data, port, host, embedded=embedded, scale=_scale(scale or []), new_nas=new_nas, adopt=adopt)
    try:
        run_until_stopped(plan, say=lambda line: print(line, flush=True))
    except NotStarted as error:
        raise SystemExit(f"presswork could not start: {error}") from error


def resume(
    session: Annotated[str | None, typer.Option(help="only this upload, by its session id or its client's")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would be sent, and send nothing")] = False,
    data: DataDir = HERE,
) -> None:
    """Send again what is unfinished: after a broker lost its disk, or a database was restored. Safe at any time."""
    from services.ops.resume import command

    print(command(session, data, dry_run=dry_run))


def cancel(
    session: Upload,
    item: Annotated[str | None, typer.Option(help="only this file of it: its name or id")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="don't ask")] = False,
    data: DataDir = HERE,
) -> None:
    """End what is unfinished of an upload as failed, in words. What is stored or listed stays so."""
    from services.ops.cancel import command

    done = command(session, item, data, yes=yes)
    print(done)
    if not (done.what or done.ended):
        raise typer.Exit(NOTHING)


def flow(
    mermaid: Annotated[bool, typer.Option("--mermaid", help="as a Mermaid diagram")] = False,
) -> None:
    """Print which service emits which message, and which services listen to it."""
    from services.embedded import all_services
    from services.flow import mermaid as draw
    from services.flow import table

    print(draw(all_services()) if mermaid else table(all_services()))


def demo(
    data: NewDataDir = Path("var/demo"),
    port: Port = 3003,
    embedded: Annotated[bool, typer.Option("--embedded", help="everything in one process, without a broker")] = False,
) -> None:
    """Run the whole pipeline once on about 60 designs and show what became of each."""
    from services.demo.run import run_demo
    from services.local.process import NotStarted
    from services.local.system import Plan, system

    plan = Plan(data, port, embedded=embedded, environment={"REGISTRATION_RATE_LIMIT": "off"}, any_nas=True)
    try:
        with system(plan, say=lambda line: print(line, flush=True)) as running:
            if "://" in running.nas:
                raise SystemExit("the demo shows what it made in a folder: take NAS_URL away, or name a folder in it")
            status = run_demo(running.base_url, Path(running.nas), running.listings_dir, data.resolve() / "results")
    except NotStarted as error:
        raise SystemExit(f"presswork could not start: {error}") from error
    sys.exit(status)


def etsy_fake(
    port: Annotated[int, typer.Option(help="port to listen on, on this machine only", min=1, max=65535)] = 8087,
) -> None:
    """Run a stand-in for Etsy, to try the publisher on without an account. It forgets everything when it ends."""
    from services.etsy_fake.serve import HOST, run, settings_for
    from services.etsy_fake.state import Etsy

    # Etsy gives no id twice, and whoever lists at this one remembers those of its last run.
    etsy_state = Etsy(first_number=int(time.time()) * 100)
    print(f"A stand-in for Etsy listens at http://{HOST}:{port} (its listings are shown there). Ctrl-C ends it.")
    print("Give Presswork these settings, start it with `presswork up`, and connect a shop: presswork etsy connect\n")
    for name, value in settings_for(etsy_state, port).items():
        print(f"export {name}={value}")
    print(flush=True)
    run(etsy_state, port)


# the order in which `--help` shows them: how to start comes first
COMMANDS = {
    "Start": (demo, up, run, init, etsy_fake),
    "Uploads": (sessions, receipt, review, retry, cancel, resume, waits, duplicates, lanes),
    "More": (import_legacy, flow),
}
for panel, commands in COMMANDS.items():
    for command in commands:
        app.command(rich_help_panel=panel)(command)
for group, name in (
    (accounts.app, "account"),
    (dead.app, "dead"),
    (etsy.app, "etsy"),
    (mockup.app, "mockup"),
    (nas.app, "nas"),
    (operators.app, "operator"),
    (spool.app, "spool"),
    (topology.app, "topology"),
):
    app.add_typer(group, name=name, rich_help_panel="More")


def _run_ingest() -> None:
    from dataclasses import replace
    from functools import partial

    with _loading():
        from services.embedded import all_services, neighbours
        from services.ingest.serve import build, serve
        from services.ingest.settings import Settings
        from services.ops.broker import alarms, depths
        from services.ops.inspection import inspection
        from services.ops.obstacles import obstacles
        from services.ops.queues import living
        from services.ops.queues import topology as queues_of

    settings = Settings()
    try:
        known = neighbours(hashers=settings.comprehensive_workflow_max_threads if settings.embedded else 1)
    except ValueError as error:
        raise SystemExit(misset(error) or f"ingest can't start: {error}") from error
    known = replace(
        known,
        obstacles=obstacles(settings.amqp_url),
        inspect=inspection(settings),
        alarms=partial(alarms, settings.amqp_url),
        depths=partial(depths, settings.amqp_url, living(queues_of(all_services()))),
    )
    serve(settings, *build(settings, known))


@contextlib.contextmanager
def _loading() -> Iterator[None]:
    """No search for garbage while modules are loaded: they make none, and it takes a tenth of a service's start."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _scale(wanted: list[str]) -> dict[str, int]:
    from services.embedded import WORKERS

    found: dict[str, int] = {}
    for part in wanted:
        name, _, count = part.partition("=")
        if not count.isdecimal():
            raise typer.BadParameter(f"{part!r} should look like hasher=4")
        if name not in WORKERS:
            others = " (a second ingest needs a port of its own: PORT=3004 presswork run ingest)"
            known = f"{', '.join(WORKERS)} can be scaled{others if name == 'ingest' else ''}"
            raise typer.BadParameter(f"{part!r}: only {known}")
        found[name] = int(count)
    return found


def main() -> None:
    """Entry point of the command."""
    try:
        app()
    except ValueError as error:
        if words := misset(error):
            raise SystemExit(words) from error
        raise


if __name__ == "__main__":
    main()
