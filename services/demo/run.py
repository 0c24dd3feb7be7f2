"""The demo: an upload of about sixty files, watched, and a report of what became of each of them."""

import json
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx
from rich.console import Console
from rich.markup import escape
from tenacity import RetryCallState, Retrying, retry_if_result, stop_after_delay, wait_fixed

from services.demo import report, shop
from services.demo.client import CallRefused, Client
from services.demo.contact_sheet import contact_sheet, design_number, mockups
from services.demo.corpus import SampleFile, corpus, studio
from services.demo.progress import Board, display

SETTLE_LIMIT_S = 180.0
COPIES_LIMIT_S = 60.0
PLAIN_WIDTH = 140
MEGABYTE = 1e6


@dataclass(frozen=True)
class Places:
    """Where things lie: the NAS, the dry-run shop, and the folder of this run."""

    nas: Path
    listings: Path
    run: Path


def run_demo(
    base_url: str, nas_dir: Path, listings_dir: Path, out_dir: Path, *, seed: int = 2024, console: Console | None = None
) -> int:
    """Run the demo against a running system and return the exit status: 0 if every file is accounted for.

    `nas_dir` and `listings_dir` are the folders of the storage and publisher services. `out_dir` keeps the designs
    and gets a folder for each run. The last line printed is the accounting, unless the system can't be reached.
    """
    console = console or Console()
    if not console.is_terminal:
        console.width = max(console.width, PLAIN_WIDTH)
    try:
        return _run(base_url, nas_dir, listings_dir, out_dir, seed, console)
    except httpx.TransportError as error:
        _complain(console, f"The server at {base_url} did not answer: {error}. The logs of the services may say why.")
    except (CallRefused, shop.NotThere) as error:
        _complain(console, str(error))
    return 1


def _run(base_url: str, nas_dir: Path, listings_dir: Path, out_dir: Path, seed: int, console: Console) -> int:
    with Client(base_url) as client:
        client.get("/health")  # before the drawing, which takes a while
        with console.status("Drawing designs and photographs (kept for the next run) ..."):
            files, pictures = corpus(out_dir, seed), studio(out_dir)
        megabytes = sum(file.size for file in files) / MEGABYTE
        name, run_dir = _open_account(client, out_dir, console)
        places = Places(nas_dir, listings_dir, run_dir)
        with console.status("Setting up template, canvas, sizes and mockup photographs ..."):
            shop.furnish(client, pictures)
            choice = shop.choose(client)
        _say(console, f"upload    {len(files)} designs, {megabytes:.0f} MB, with {choice.pictures} mockups each")
        started = time.monotonic()
        session_id = _upload(client, choice, files, console)
        receipt = _receipt(client, session_id)
        seconds = time.monotonic() - started
    (run_dir / "receipt.json").write_text(json.dumps(receipt, indent=1), encoding="utf-8")
    console.print()
    console.print(report.table(receipt["items"]))
    _say(console, report.totals(receipt, seconds))
    _show_results(console, places, name, receipt, choice.pictures)
    problems = report.discrepancies(receipt, len(files))
    for problem in problems:
        _complain(console, f"The accounting does not add up: {problem}.")
    console.print(report.accounting(receipt), highlight=False, markup=False, soft_wrap=True)
    return 1 if problems else 0


def _open_account(client: Client, out_dir: Path, console: Console) -> tuple[str, Path]:
    """A new shop for each run, since a second upload to the same one would be nothing but duplicates."""
    number = 1 + max((int(path.name[4:]) for path in out_dir.glob("run-*") if path.name[4:].isdigit()), default=0)
    password = secrets.token_urlsafe(12)
    while True:
        name, email = f"Demo Shop {number}", f"demo-{number}@example.com"
        try:
            client.register(email, password, name)
        except CallRefused as refusal:
            if refusal.status != httpx.codes.BAD_REQUEST:
                raise
            number += 1  # the database remembers a run whose folder was removed
            continue
        break
    run_dir = out_dir / f"run-{number}"
    run_dir.mkdir(parents=True)
    _say(console, f"account   {name}, {email}, password {password}")
    return name, run_dir


def _upload(client: Client, choice: shop.Choice, files: Sequence[SampleFile], console: Console) -> str:
    """The calls of the frontend's upload dialogue, in its order. Returns the session's id."""
    parts = [("files", file.name, file.path) for file in files]
    announced = client.post_form("/designs/start-upload", {}, parts)
    session_id = str(announced["session_id"])
    board = Board(len(files))
    with display(console) as shown:

        def on_frame(frame: dict[str, Any]) -> None:
            board.take(frame)
            shown.show(board)

        watch = client.watch(session_id, on_frame)
        fields = {"design_data": json.dumps(choice.design_data()), "session_id": session_id}
        made = client.post_form("/designs/", fields, parts, tries=2)
        asked = choice.product_data([design["id"] for design in made["designs"]])
        answer = client.post_form("/mockups/upload-mockup", {"product_data": json.dumps(asked)}, tries=2)
        watch.finish()
    if watch.problem:
        _complain(console, f"Progress could not be shown to the end: {watch.problem}.")
    _say(console, str((answer.get("result") or answer)["message"]).partition("\n")[0])
    return session_id


def _receipt(client: Client, session_id: str) -> dict[str, Any]:
    """The receipt, once nothing is in progress any more, or as it is when the waiting time is over."""

    def unfinished(receipt: dict[str, Any]) -> bool:
        return bool(receipt["in_progress"] or receipt.get("listings_in_progress"))

    ask = Retrying(
        retry=retry_if_result(unfinished),
        wait=wait_fixed(1),
        stop=stop_after_delay(SETTLE_LIMIT_S),
        retry_error_callback=_last_result,
    )
    receipt: dict[str, Any] = ask(client.get, f"/api/v1/sessions/{session_id}/receipt")
    return receipt


def _show_results(console: Console, places: Places, name: str, receipt: dict[str, Any], pictures: int) -> None:
    stored = [item for item in receipt["items"] if item["path"]]
    folder = str(stored[0]["path"]).partition("/")[0] if stored else name
    pictures_dir = places.nas / folder / "Mockups" / shop.TEMPLATE
    strips = _all_copied(pictures_dir, receipt["listed"], pictures)
    _say(console, f"prints    {places.nas / folder / shop.TEMPLATE}")
    _say(console, f"mockups   {pictures_dir}")
    if strips:
        count = sum(len(strip) for strip in strips)
        captions = {design_number(item["name"]): item["filename"] for item in stored}
        sheet = contact_sheet(strips, f"{name}: {len(strips)} designs, {count} mockups", captions)
        sheet.save(places.run / "contact-sheet.png")
        _say(console, f"contact   {places.run / 'contact-sheet.png'}")
    _say(console, f"receipt   {places.run / 'receipt.json'}")
    _say(console, f"listings  {places.listings}")
    urls = [item["listing_url"] for item in receipt["items"] if item["listing_url"]]
    if urls:
        _say(console, f"preview   {_path(urls[0])}")


def _all_copied(folder: Path, listed: int, pictures: int) -> list[list[Path]]:
    """The mockups on the NAS. Their copies arrive there beside the listings, so the last may take a moment longer."""
    look = Retrying(
        retry=retry_if_result(lambda strips: sum(len(strip) for strip in strips) < listed * pictures),
        wait=wait_fixed(0.5),
        stop=stop_after_delay(COPIES_LIMIT_S),
        retry_error_callback=_last_result,
    )
    strips: list[list[Path]] = look(mockups, folder)
    return strips


def _last_result(state: RetryCallState) -> Any:  # noqa: ANN401 - whatever was asked for
    return state.outcome.result() if state.outcome else None


def _path(url: str) -> str:
    """A file:// URL as a path, any other as it is."""
    parts = urlsplit(url)
    return unquote(parts.path) if parts.scheme == "file" else url


def _say(console: Console, line: str) -> None:
    console.print(line, highlight=False, markup=False, soft_wrap=True)


def _complain(console: Console, line: str) -> None:
    console.print(f"[bold red]{escape(line)}", highlight=False, soft_wrap=True)
