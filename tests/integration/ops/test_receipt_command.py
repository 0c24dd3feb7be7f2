"""What `presswork receipt` tells of files beside their ends: warnings, resemblances, decisions that are waited for."""

from typing import Any

from sqlalchemy import update
from typer.testing import CliRunner

from services.cli import app
from services.ingest.sessions.intake.grace_period import Unasked
from services.ingest.sessions.lifecycle.records import Session, Wanted
from services.ingest.sessions.tables import sessions
from shared.contracts import DesignStored, DuplicateFound, ImageHashed, Match, MockupsRendered
from tests.integration.ops.letterbox import BLOB, Letterbox
from tests.integration.uploads import LISTING

SOFT = "only 600 x 600 px of artwork are enlarged to 3800 x 1732: the print will look soft"
DARK = "photograph 1: it has no watermark"


def receipt(database_url: str, session: Session) -> list[str]:
    said = CliRunner().invoke(app, ["receipt", str(session.id)], env={"DATABASE_URL": database_url})
    assert said.exit_code == 0, said.output
    return said.output.splitlines()


def accepted(box: Letterbox, session: Session, index: int, **changes: Any) -> None:
    made = box.accepted(session, index).model_copy(update=changes)
    box.project(made)
    stored: dict[str, Any] = {"number": index, "name": f"UV {index}", "path": f"s/UV {index}", "print_file": BLOB}
    box.project(DesignStored(**box.about(session, index), **stored))


def below(lines: list[str], name: str) -> list[str]:
    """What is told of a file under its line."""
    begins = next(number for number, line in enumerate(lines) if f" {name} " in line)
    rest = lines[begins + 1 :]
    ends = next((number for number, line in enumerate(rest) if not line.startswith("    ")), len(rest))
    return [line.strip() for line in rest[:ends]]


def test_it_tells_warnings_resemblances_and_what_waits_for_a_decision(database_url: str, box: Letterbox) -> None:
    session = box.submitted("soft.png", "red.png", "copy.png")
    facts = box.accepted(session, 0).model_dump(include=set(ImageHashed.model_fields))
    box.project(ImageHashed.model_validate(facts | {"warnings": (SOFT,)}))
    accepted(box, session, 0, warnings=(SOFT,))
    match = Match(source="database", filename="blue.png", verdict="colour_variant", reason="in other colours blue.png")
    accepted(box, session, 1, resembles=match)
    near: dict[str, Any] = {"kind": "near", "distance": 2, "match": Match(source="nas"), "review": True}
    box.project(DuplicateFound(**box.about(session, 2), **near, reason="the same picture as rose.png"))
    lines = receipt(database_url, session)
    assert "    3 received: 2 stored, 1 duplicate" in lines
    waits = "2 stored, 1 near copy to decide about; listings are not asked for yet"
    assert f"    All files are done: {waits}" in lines
    assert f"    to decide about: presswork review {session.id}" in lines
    assert below(lines, "soft.png") == [f"warning: {SOFT}"]
    assert below(lines, "red.png") == ["resembles: in other colours blue.png"]
    assert below(lines, "copy.png") == ["the same picture as rose.png (waits for a decision: keep it or skip it)"]
    assert Unasked(box.engine, 0.0).finish() == 1
    assert not any("waiting for the order" in line for line in receipt(database_url, session))


def test_it_tells_what_is_wrong_with_a_listings_pictures(database_url: str, box: Letterbox) -> None:
    session = box.submitted("soft.png")
    accepted(box, session, 0)
    design = box.sessions.items(session)[0]
    template = LISTING.model_copy(update={"template_id": design["template_id"]})
    assert box.sessions.ask_listings(box.tenant, [design["id"]], Wanted("s", template, session.id, ()))
    rendered: dict[str, Any] = {"mockup_id": session.id, "mockups": (), "shop": "s", "template": template}
    rendered |= {"design": BLOB, "design_name": "UV 0", "number": 0, "warnings": (DARK,)}
    box.project(MockupsRendered(**box.about(session, 0), **rendered))
    assert below(receipt(database_url, session), "soft.png") == ["listing rendered", f"listing warning: {DARK}"]


def test_what_a_client_calls_its_upload_neither_steers_the_terminal_nor_forges_a_line(
    database_url: str, box: Letterbox
) -> None:
    taken_in = box.submitted("a.png")
    forged = "\x1b[2J\u202e\x9b\n0000  finished"
    with box.engine.begin() as connection:
        mine = update(sessions).where(sessions.c.id == taken_in.id)
        connection.execute(mine.values(client_key=forged))
    said = CliRunner().invoke(app, ["sessions"], env={"DATABASE_URL": database_url}, color=True)  # as on a terminal
    shown = next(line for line in said.output.splitlines() if "its client calls it" in line)
    assert shown.endswith("; its client calls it \ufffd[2J\ufffd\ufffd\ufffd0000  finished")
