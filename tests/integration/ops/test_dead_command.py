"""`presswork dead` on a terminal and for programs: what it says, and how it ends."""

import asyncio
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import insert, update
from typer.testing import CliRunner, Result

from services.cli import app, main
from services.ingest.dead_letters.auditing import Run
from services.ingest.dead_letters.outcomes import settle
from services.ingest.service import PREFETCH
from services.ingest.sessions.tables import sessions
from services.ingest.tables import users
from services.local.environment import write_down
from services.ops.broker import declare
from services.ops.place import HERE, database, join, of_kind, settings
from services.ops.queues import topology
from services.storage.settings import Settings as StorageSettings
from services.storage.shops import COMMON
from shared.bus.dead_letter import DeadLetter
from shared.bus.envelope import Envelope, seal
from shared.bus.rabbit import RabbitBus
from shared.bus.service import Service
from shared.bus.settlement import Sealed
from shared.bus.topology import dead_route, waiting_as
from shared.contracts import Blob, DesignStored, ImageHashed, StoreFile, WorkDelayed
from shared.database import transaction
from shared.errors import Permanent, Unavailable
from tests.integration.ops.letterbox import BLOB, Letterbox
from tests.waiting import eventually

NOTHING_THERE = "there are no exchanges, queues, bindings and policies."
NOWHERE = "amqp://guest:guest@127.0.0.1:1/"


def presswork(database_url: str, *words: object, code: int = 0, amqp_url: str = NOWHERE, answers: str = "") -> Result:
    environment = {"DATABASE_URL": database_url, "AMQP_URL": amqp_url}
    result = CliRunner().invoke(app, [str(word) for word in words], input=answers, env=environment)
    assert result.exit_code == code, f"{result.exit_code}: {result.output}\n{result.exception!r}"
    return result


def test_a_person_finds_and_understands_a_failure(database_url: str, box: Letterbox, tmp_path: Path) -> None:
    session = box.submitted("rose.png", "tulip.png")
    rose = box.dies("storage", box.accepted(session, 0))
    box.dies("dedup", box.accepted(session, 1), "ValueError: other")
    groups = presswork(database_url, "dead", "groups").output
    assert groups.count("1 waiting of 1, 1 upload\n") == 2
    assert "storage: OSError: a disk" in groups
    listed = presswork(database_url, "dead", "list", "--file", "rose").output
    assert str(rose) in listed
    assert "1 of 1 letter." in listed
    shown = presswork(database_url, "dead", "show", str(rose)[:8]).output
    for told in ("rose.png", "services/storage/filing.py:place", '"x-service": "storage"', '"type": "ImageAccepted"'):
        assert told in shown
    assert presswork(database_url, "dead", "audit").output == "Nobody has changed a dead letter yet.\n"
    presswork(database_url, "dead", "note", "the old NAS", "--service", "storage")
    begin = str(rose)[:8]
    presswork(database_url, "dead", "discard", begin, "--why", "printed by hand")
    assert "printed by hand" in presswork(database_url, "dead", "list", "--status", "discarded").output
    assert (
        "(presswork dead restore)" in presswork(database_url, "dead", "replay", "--status", "discarded", code=3).output
    )
    presswork(database_url, "dead", "restore", begin)
    assert "rose.png would be" in presswork(database_url, "dead", "replay", begin, "--dry-run").output
    assert "too short" in presswork(database_url, "dead", "discard", begin[:3], code=2).output
    lines = tmp_path / "letters.jsonl"
    presswork(database_url, "dead", "export", "--to", lines)
    exported = [json.loads(line) for line in lines.read_text().splitlines()]
    assert {letter["id"]: letter["note"] for letter in exported}[str(rose)] == "the old NAS"
    audit = presswork(database_url, "dead", "audit").output
    run = audit.split()[0]
    assert presswork(database_url, "dead", "audit", run[:8]).output.startswith(run)
    assert "It was over already." in presswork(database_url, "dead", "cancel", run[:8]).output
    assert [word for word in ("note", "discard", "restore") if f": {word} {{" in audit] == [
        "note",
        "discard",
        "restore",
    ]


def test_a_letter_tells_whose_it_is(database_url: str, box: Letterbox) -> None:
    ana = {"email": "Ana@example.com", "email_key": "ana@example.com", "hashed_password": "x"}
    shop = {"shop_name": "North Cups", "shop_folder": "North Cups", "shop_folder_key": "north cups"}
    with transaction(box.engine) as connection:
        connection.execute(insert(users).values(id=box.tenant, **ana, **shop))
    rose = box.dies("storage", box.accepted(box.submitted("rose.png"), 0))
    shown = presswork(database_url, "dead", "show", rose)
    assert "seller        Ana@example.com, shop North Cups\n" in shown.output
    told = json.loads(presswork(database_url, "dead", "show", rose, "--json").stdout)
    assert told["seller"] == {"email": "Ana@example.com", "shop_name": "North Cups"}


def test_programs_get_json(database_url: str, box: Letterbox) -> None:
    session = box.submitted("rose.png")
    rose = box.dies("storage", box.accepted(session, 0))

    def asked(*words: object, **how: Any) -> Any:
        return json.loads(presswork(database_url, "dead", *words, "--json", **how).stdout)

    assert [letter["id"] for letter in asked("list")["letters"]] == [str(rose)]
    assert asked("groups")[0]["letters"] == 1
    assert asked("show", rose)["files"][0]["filename"] == "rose.png"
    tried = asked("replay", "--all", "--dry-run")
    assert (tried["matched"], tried["sample"][0]["result"]) == (1, "reopened")
    done = asked("replay", "--all", "--yes", "--force")
    assert (done["counts"], done["left"], done["stopped"]) == ({"reopened": 1}, 0, None)
    audited = asked("audit", done["run_id"])
    assert (audited["run"]["state"], audited["results"][0]["letter_id"]) == ("ended", str(rose))
    again = asked("replay", rose, "--yes", "--force", code=1)
    assert again["counts"] == {"refused": 1}
    assert again["results"][0]["words"].endswith(f"run {done['run_id']}"), "it names the replay that has it"
    assert asked("cancel", done["run_id"])["state"] == "ended"
    assert asked("note", rose, "x") == {"noted": 1}
    assert asked("discard", rose, code=3) == {"discarded": 0}
    assert asked("restore", "--all", code=3) == {"restored": 0}


def test_it_says_what_it_will_do_and_asks_first(database_url: str, box: Letterbox) -> None:
    session = box.submitted("rose.png")
    rose = box.dies("storage", box.accepted(session, 0))
    dry = presswork(database_url, "dead", "replay", rose, "--dry-run").output
    assert "1 letter: 1 of storage" in dry
    assert "reopened: rose.png would be worked on again" in dry
    assert "  in the way: RabbitMQ at" in dry, "nobody could take it: the broker is away"
    assert dry.endswith("It would be refused: Mend that, or send all the same: --force\n")
    alone = box.submitted("tulip.png", lane="original")
    tulip = box.dies("storage", box.accepted(alone, 0))
    assert "can't be asked" not in presswork(database_url, "dead", "replay", tulip, "--dry-run").output
    refused = presswork(database_url, "dead", "replay", rose, "--yes", code=4).output
    assert "can't be asked" in refused
    assert "Nothing was replayed. Mend that, or send all the same: --force" in refused
    no = presswork(database_url, "dead", "replay", rose, "--force", answers="n\n", code=1).output
    assert no.endswith("Nothing was replayed.\n")
    unasked = presswork(database_url, "dead", "replay", rose, "--force", code=1).output
    assert "\nNothing was replayed. Nobody answered: --yes does it without asking.\n" in unasked
    assert box.letter(rose)["status"] == "dead"
    presswork(database_url, "dead", "replay", rose, "--force", answers="y\n")
    assert box.letter(rose)["status"] == "replaying"


def test_what_services_wait_for_is_said_before_it_is_asked(database_url: str, box: Letterbox) -> None:
    rose = box.dies("storage", box.accepted(box.submitted("rose.png"), 0))
    box.project(WorkDelayed(service="storage", session_id=None, cause="NasFull: the NAS is full; free some space"))
    dry = presswork(database_url, "dead", "replay", rose, "--dry-run")
    assert "  beware: it would wait now: storage: the NAS is full; free some space\n" in dry.stderr


def test_an_obstacle_is_said_once(database_url: str, box: Letterbox) -> None:
    """A terminal has the library's logs as well, which the runner of these tests takes away."""
    rose = box.dies("storage", box.accepted(box.submitted("rose.png"), 0))
    command = [sys.executable, "-m", "services.cli", "dead", "replay", str(rose), "--yes"]
    environment = os.environ | {"DATABASE_URL": database_url, "AMQP_URL": NOWHERE}
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert said.returncode == 4
    assert said.stderr.count("Connect call failed") == 1, said.stderr


@pytest.mark.parametrize("option", ["", "--json"])
def test_a_replay_goes_on_when_nobody_reads_what_it_says(database_url: str, box: Letterbox, option: str) -> None:
    """As with `| head`: it was ordered, and would be stopped at a letter that chance chose."""
    session = box.submitted("a.png", "b.png", "c.png")
    letters = [box.dies("storage", box.accepted(session, index)) for index in range(3)]
    command = [sys.executable, "-m", "services.cli", "dead", "replay", "--all", "--yes", "--force", *option.split()]
    environment = os.environ | {"DATABASE_URL": database_url, "AMQP_URL": NOWHERE}
    unread, written = os.pipe()
    os.close(unread)
    with os.fdopen(written):
        done = subprocess.run(command, env=environment, stdout=written, stderr=written, check=False)
    assert done.returncode == 0
    assert [box.letter(letter)["status"] for letter in letters] == ["replaying"] * 3
    assert presswork(database_url, "dead", "audit").output.endswith(": 3 matched, 3 reopened\n")


def test_files_that_failed_without_a_letter_are_hinted_at(database_url: str, box: Letterbox) -> None:
    session, other = box.submitted("rose.png", "tulip.png", "iris.png"), box.submitted("lily.png")
    box.dies("storage", box.accepted(session, 0))
    told = presswork(database_url, "dead", "list", "--session", session.id).output
    assert told.endswith("1 of 1 letter.\n"), "it has a letter, which is replayed"
    box.project(box.failed(session, 1), box.failed(other, 0))
    told = presswork(database_url, "dead", "list", "--session", str(session.id)[:8]).output
    assert "1 file failed without a letter that waits: tulip.png.\n" in told
    assert told.endswith(f"to try again: presswork retry {session.id}\n")
    assert "without a letter" not in presswork(database_url, "dead", "list").output
    asked = presswork(database_url, "dead", "list", "--session", other.id, "--json").stdout
    assert json.loads(asked)["failed_without_letter"] == ["lily.png"]


def test_what_somebody_cancelled_is_not_offered_to_be_tried_again(database_url: str, box: Letterbox) -> None:
    session = box.submitted("rose.png", "tulip.png", "iris.png")
    box.project(box.failed(session, 0))
    assert "1 file failed without a letter" in presswork(database_url, "dead", "list", "--session", session.id).output
    iris = box.archived("dedup", ImageHashed.model_validate(box.accepted(session, 2).model_dump()))
    box.sessions.cancel(box.tenant, session.id, None)
    told = presswork(database_url, "dead", "list", "--session", session.id, "--json").stdout
    assert json.loads(told)["failed_without_letter"] == ["rose.png"]
    settle(box.engine)
    told = presswork(database_url, "dead", "list", "--session", session.id).output
    assert "resolved" in told
    assert "nobody wants what it was about: cancelled by you on " in told
    assert box.replays.replay(iris, Run("him", "replay")).result == "refused"
    assert [row["state"] for row in box.sessions.items(session)] == ["failed"] * 3


def test_a_letter_of_ingest_about_a_cancelled_file_waits_still(box: Letterbox) -> None:
    """It may be the word that storage has stored it."""
    session = box.submitted("rose.png")
    base = box.about(session, 0)
    letter = box.archived("ingest", DesignStored(**base, number=1, name="UV 1", path="s/1", print_file=BLOB))
    box.sessions.cancel(box.tenant, session.id, None)
    settle(box.engine)
    assert box.letter(letter)["status"] == "dead"


def test_of_what_the_broker_gave_up_it_is_said_what_is_known_and_what_is_not(database_url: str, box: Letterbox) -> None:
    death = {
        "reason": "delivery_limit",
        "queue": "presswork.storage",
        "count": 1,
        "time": datetime(2026, 1, 2, tzinfo=UTC),
    }
    headers = {"x-death": [death], "x-first-death-reason": "delivery_limit", "x-delivery-count": 1}
    message = seal(Envelope(uuid4(), box.accepted(box.submitted("rose.png"), 0), "dedup"))
    letter = box.dies_of(DeadLetter.of("storage", message, headers))
    shown = presswork(database_url, "dead", "show", letter).output
    told = "more than its queue allows: 10, or less by a policy; the letter does not tell"
    assert f"deliveries    {told}\n" in shown, "x-delivery-count tells of the dead-letter queue"
    assert "by the broker delivery_limit, queue presswork.storage, at 2026-01-02 00:00:00+00:00\n" in shown
    for name in ("version", "host"):
        assert f"{name:<13} not known: its process ended before it could write that down\n" in shown


def test_it_ends_with_a_code_that_scripts_can_tell_apart(database_url: str, box: Letterbox) -> None:
    presswork(database_url, "dead", "replay", code=2)
    for rate in ("fast", "0/s", "-5/s", "nan/s"):
        presswork(database_url, "dead", "replay", "--all", "--rate", rate, code=2)
    presswork(database_url, "dead", "replay", "--direct", code=2)
    presswork(database_url, "dead", "replay", "--all", "--to", "somebody.elses.queue", code=2)
    presswork(database_url, "dead", "audit", uuid4(), code=3)
    presswork(database_url, "dead", "cancel", uuid4(), code=3)
    presswork(database_url, "dead", "export", code=3)
    presswork(database_url, "dead", "replay", "--all", "--yes", code=3)
    presswork(database_url, "dead", "show", uuid4(), code=3)
    presswork(database_url, "dead", "discard", "--service", "mockup", code=3)
    nowhere = "postgresql+psycopg://nobody@127.0.0.1:1/none"
    assert "can't be used" in presswork(nowhere, "dead", "list", code=4).output
    assert "can't be asked" in presswork(nowhere, "dead", "replay", "--direct", "--service", "storage", code=4).output


def test_an_upload_is_found_by_its_own_id_and_by_its_clients(database_url: str, box: Letterbox) -> None:
    session = box.submitted("rose.png", "tulip.png")
    box.dies("storage", box.accepted(session, 0))
    rose, tulip = (str(row["id"]) for row in box.sessions.items(session))
    for name in (session.id, session.client_key, str(session.id)[:8], session.client_key[:8]):
        assert "1 of 1 letter" in presswork(database_url, "dead", "list", "--session", name).output
    nobody = uuid4()
    for words in (("dead", "list", "--session"), ("dead", "discard", "--session"), ("resume", "--session")):
        assert f"there is no upload {nobody}" in presswork(database_url, *words, nobody, code=3).output
    for command in ("retry", "cancel"):
        assert f"there is no upload {nobody}" in presswork(database_url, command, nobody, code=3).output
        said = presswork(database_url, command, session.id, "--item", nobody, code=3).output
        assert f"there is no file {nobody} in upload {session.id}" in said
    presswork(database_url, "retry", session.client_key, "--item", tulip, code=3)
    said = presswork(database_url, "retry", str(session.id)[:8], "--item", "rose.png").output
    assert said.startswith("1 file is being worked on again.")
    again = presswork(database_url, "retry", session.id, "--item", rose[:8], code=3).output
    assert again == "rose.png is being worked on already: nothing is tried again.\n"
    assert f"{session.id}: 2 files" in presswork(database_url, "resume", "--session", session.client_key).output
    gone = presswork(database_url, "cancel", session.id, "--item", "tulip.png", "--yes").output
    assert gone == "Cancelled: 1 file.\n"
    assert presswork(database_url, "cancel", session.client_key, "--yes").output == "Cancelled: 1 file.\n"
    assert presswork(database_url, "cancel", session.client_key, code=3).output == "Nothing is left to cancel.\n"


def test_what_is_tried_again_is_split_for_as_many_hashers_as_there_are(
    database_url: str, box: Letterbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMPREHENSIVE_WORKFLOW_MAX_THREADS", "2")
    session = box.submitted("rose.png", "tulip.png", "lily.png", "iris.png")
    box.project(*(box.failed(session, index) for index in range(4)))
    presswork(database_url, "retry", session.id)
    anew = "SELECT 1 FROM ingest.outbox WHERE type = 'BatchSubmitted' AND data #>> '{files,0,generation}' = '1'"
    assert len(box.rows(anew)) == 2


def test_nothing_is_cancelled_before_somebody_says_so(database_url: str, box: Letterbox) -> None:
    session = box.submitted("rose.png", "tulip.png")
    asked = f"Cancel 2 files of upload {session.id}? `presswork retry` takes them up again. [y/N]"
    refused = presswork(database_url, "cancel", session.client_key, code=1, answers="n\n")
    assert asked in refused.stderr
    assert "Nothing was cancelled.\n" in refused.stderr
    nobody = presswork(database_url, "cancel", session.client_key, code=1)
    assert "Nothing was cancelled. Nobody answered: --yes does it without asking." in nobody.stderr
    assert [row["state"] for row in box.sessions.items(session)] == ["received", "received"]
    one = presswork(database_url, "cancel", session.id, "--item", "rose.png", answers="y\n")
    assert f"Cancel 1 file of upload {session.id}? `presswork retry` takes it up again." in one.stderr
    assert one.stdout.endswith("Cancelled: 1 file.\n")


def test_a_beginning_that_several_uploads_share_is_refused(database_url: str, box: Letterbox) -> None:
    one, other = box.submitted("rose.png"), box.submitted("rose.png", "rose.png")
    with transaction(box.engine) as connection:
        for number, each in enumerate((one, other)):
            changed = update(sessions).where(sessions.c.id == each.id)
            connection.execute(changed.values(client_key=f"spring-{number}"))
    said = presswork(database_url, "cancel", "spring", code=3).output
    assert said == "several uploads are called spring, or begin so: say more, or the session_id in the receipt\n"
    unknown = presswork(database_url, "cancel", "spr", code=3).output
    assert "there is no upload spr: `presswork sessions` lists them\n" in unknown
    twice = presswork(database_url, "cancel", "spring-1", "--item", "rose.png", code=3).output
    assert "are called rose.png: say the id" in twice


@pytest.mark.parametrize(
    ("option", "words", "code"),
    [
        ("--status=nosuch", "'nosuch' is no status: dead, dead_again, replaying", 2),
        ("--service=nosuch", "'nosuch' is none of our services: ingest, hasher", 2),
        ("--since=yesterday", "'yesterday' is no time: say it like 7d, 12h, 2026-11-24", 2),
        ("--tenant=nobody@example.com", "No account has the id or e-mail nobody@example.com.", 3),
    ],
)
def test_what_is_misspelt_is_not_taken_for_nothing_found(database_url: str, option: str, words: str, code: int) -> None:
    for command in ("list", "groups", "export", "discard"):
        said = presswork(database_url, "dead", command, option, code=code).output
        assert words in " ".join(said.replace("│", " ").split())


def test_a_list_can_not_begin_before_its_first_letter(database_url: str) -> None:
    assert "--offset" in presswork(database_url, "dead", "list", "--offset=-1", code=2).output


def test_a_time_is_taken_in_utc_or_with_its_zone(database_url: str, box: Letterbox) -> None:
    session = box.submitted("rose.png")
    box.dies("storage", box.accepted(session, 0), x_dead_at="2026-01-02T04:00:00+00:00")
    for since, count in (
        ("9999d", 1),
        ("1h", 0),
        ("2026-01-02", 1),
        ("2026-01-02T04:01", 0),
        ("2026-01-02T04:01+02:00", 1),
    ):
        found = json.loads(presswork(database_url, "dead", "list", "--since", since, "--json").stdout)
        assert found["total"] == count


def test_a_file_that_can_not_be_written_is_said_in_words(database_url: str, tmp_path: Path) -> None:
    for command in (["export"], ["purge", "--service", "storage"]):
        said = presswork(database_url, "dead", *command, "--to", tmp_path / "no" / "x", code=2).output
        assert "can't be written: No such file or directory" in " ".join(said.replace("│", " ").split())


def test_the_audit_says_why_how_many_were_asked_for_and_what_came_of_it(database_url: str, box: Letterbox) -> None:
    file = StoreFile(tenant_id=box.tenant, shop="s", path="a.png", content=Blob(sha256="0" * 64, size=1))
    letter = box.dies("storage", file)
    presswork(database_url, "dead", "replay", "--all", "--limit", 1, "--yes", "--force")
    replayed = presswork(database_url, "dead", "audit").output
    assert '"limit": 1' in replayed
    (run, *_) = replayed.split()
    assert f"{letter}" in presswork(database_url, "dead", "audit", run).output
    assert "it is replaying now: sent to storage again" in presswork(database_url, "dead", "audit", run).output
    again = box.dies("storage", file, x_replay_id=str(box.letter(letter)["replay_id"]))
    assert f"it is superseded now: it died again, as {again}" in presswork(database_url, "dead", "audit", run).output
    refused = presswork(database_url, "dead", "discard", letter, code=3).output
    assert refused == f"0 letters discarded.\n{letter} stays superseded: it died again, as {again}\n"
    assert f"{again} stays dead_again" in presswork(database_url, "dead", "restore", again, code=3).output
    presswork(database_url, "dead", "discard", again, "--why", "the old NAS")
    assert "(the old NAS)" in presswork(database_url, "dead", "audit").output.splitlines()[0]


def test_a_rate_is_kept(database_url: str, box: Letterbox, monkeypatch: pytest.MonkeyPatch) -> None:
    session = box.submitted("a.png", "b.png", "c.png")
    for index in range(3):
        box.dies("storage", box.accepted(session, index))
    pauses: list[float] = []
    monkeypatch.setattr("services.ingest.dead_letters.steps.time.sleep", pauses.append)
    presswork(database_url, "dead", "replay", "--all", "--yes", "--force", "--rate", "4/s")
    assert pauses == [0.25, 0.25]


def test_the_addresses_of_a_running_system_are_read_where_it_left_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DATABASE_URL", "AMQP_URL"):
        monkeypatch.delenv(name, raising=False)
    odd = "postgresql+psycopg://us%20er:p'a\\ss#w$x\"d@/db?host=/tmp/with space"
    write_down({"DATABASE_URL": odd, "AMQP_URL": "amqp://a:b@c/%2F", "JWT_SECRET_KEY": "secret"}, tmp_path)
    found = settings(tmp_path)
    assert (found.database_url, found.amqp_url) == (odd, "amqp://a:b@c/%2F")
    assert "secret" not in (tmp_path / "environment").read_text()
    assert of_kind(StorageSettings, tmp_path).database_url == odd
    (tmp_path / "jwt-secret").write_text("of this machine")
    with monkeypatch.context() as own:
        own.setattr(os, "environ", {"AMQP_URL": "amqp://mine"})
        join(tmp_path)  # for `presswork run`
        assert os.environ == {"AMQP_URL": "amqp://mine", "DATABASE_URL": odd, "JWT_SECRET_KEY": "of this machine"}
    assert (tmp_path / "environment").stat().st_mode & 0o077 == 0
    monkeypatch.setenv("DATABASE_URL", "postgresql+psycopg://named")
    assert settings(tmp_path).database_url == "postgresql+psycopg://named"


@pytest.mark.parametrize(
    "words",
    ["dead list", "retry {0}", "cancel {0}", "resume", "topology check", "init", "run hasher", "spool sweep"],
)
def test_a_folder_in_which_nothing_was_started_is_said_to_be_that(words: str, tmp_path: Path) -> None:
    said = presswork("", *words.format(uuid4()).split(), "--data", tmp_path, code=2).output
    assert "no Presswork was started in" in " ".join(said.replace("│", " ").split())


def test_where_nobody_named_a_database_it_says_how_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("PGSSLMODE", "verify-full")  # nor does one let us in that runs here by chance
    monkeypatch.setenv("PGSSLROOTCERT", str(tmp_path / "none"))
    for words in (["dead", "list"], ["cancel", str(uuid4())], ["resume"]):
        done = CliRunner().invoke(app, words)
        assert (done.exit_code, "DATABASE_URL is not set" in done.output) == (4, True), done.output
        assert "--data" in done.output


def test_an_embedded_system_has_no_broker_to_look_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_down({"EMBEDDED": "1", "DATABASE_URL": "postgresql+psycopg://nobody@127.0.0.1:1/none"}, tmp_path)
    for name in ("AMQP_URL", "EMBEDDED"):
        monkeypatch.delenv(name, raising=False)
    for words in ("check", "apply", "apply --dry-run"):
        done = CliRunner().invoke(app, ["topology", *words.split(), "--data", str(tmp_path)])
        assert done.exit_code == 0, done.output
        assert (
            done.stderr == f"The system of {tmp_path} is embedded, in one process without a broker: {NOTHING_THERE}\n"
        )
    direct = ["dead", "replay", "--direct", "--service", "storage", "--data", str(tmp_path)]
    said = CliRunner().invoke(app, direct)
    assert (said.exit_code, "is embedded, in one process without a broker" in said.output) == (4, True), said.output
    assert "is not there" not in said.output
    named = CliRunner().invoke(app, ["topology", "check", "--data", str(tmp_path)], env={"AMQP_URL": NOWHERE})
    assert (named.exit_code, "can't be asked" in named.output) == (4, True), "somebody named a broker"


def test_where_nobody_named_a_broker_or_nas_it_says_how_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("AMQP_URL", "NAS_URL"):
        monkeypatch.delenv(name, raising=False)
    said = CliRunner().invoke(app, ["nas", "check"]).output
    assert "var/nas is not the NAS" in said
    assert "NAS_URL is not set, and var/environment is not there" in said
    assert "AMQP_URL is not set" in CliRunner().invoke(app, ["run", "nosuch"]).output


def test_a_nas_that_can_not_be_meant_is_said_in_words(
    database_url: str, box: Letterbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NAS_URL", "ftp://nas/Graphics")
    session = box.submitted("rose.png")
    for command in (["sessions"], ["receipt", session.id], ["retry", session.id]):
        said = presswork(database_url, *command, code=4).stderr
        assert said == "a NAS by ftp:// is not supported: mount it, and give its path or a file:// URL\n"


class Interrupted(psycopg.Cursor[Any]):
    """Ctrl-C comes when a statement was sent and is not answered yet."""

    def execute(self, *_: Any, **__: Any) -> Self:
        self.connection.pgconn.send_query(b"SELECT pg_sleep(1)")
        raise KeyboardInterrupt


def test_ctrl_c_in_a_statement_is_told_as_no_fault_of_the_tables(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the one that asks whether a connection is alive: no mode can be set on it then, and it is set back."""
    monkeypatch.setenv("DATABASE_URL", database_url)

    def interrupted() -> None:
        with database(HERE) as engine:
            with engine.connect() as connection:
                driver: Any = connection.connection.driver_connection
            driver.cursor_factory = Interrupted
            engine.connect()

    with pytest.raises(KeyboardInterrupt):
        interrupted()


def test_a_missing_setting_is_said_in_words(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "environ", {})
    monkeypatch.setattr(sys, "argv", ["presswork", "run", "ingest"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert "JWT_SECRET_KEY: JWT_SECRET_KEY must be at least 32 random bytes; make one with" in str(ended.value)
    assert "pydantic" not in str(ended.value)


def test_without_a_database_letters_go_from_broker_to_broker_and_none_twice(amqp_url: str) -> None:
    """Storage fails each one again at once: what returns while the command runs is not moved again."""
    heard: list[str] = []
    untouched: list[tuple[int, int]] = []

    def on_store_file(event: StoreFile) -> None:
        heard.append(event.path)
        raise Permanent("still broken")

    service = Service("storage")
    service.on(on_store_file)

    async def scenario() -> list[Result]:
        await declare(amqp_url, topology([service]))
        bus = RabbitBus(amqp_url, "storage")
        await bus.connect()
        await bus.consume(service)
        from shared.bus.envelope import Envelope  # noqa: PLC0415

        for number in range(5):
            file = StoreFile(tenant_id=uuid4(), shop="s", path=str(number), content=Blob(sha256="0" * 64, size=1))
            await bus.publish(Envelope(uuid4(), file, "test"))
        await asyncio.to_thread(eventually, lambda: len(heard) == 5)
        await asyncio.to_thread(eventually, lambda: depth(amqp_url) == 5)
        nowhere = "postgresql+psycopg://nobody@127.0.0.1:1/none"
        command = ("dead", "replay", "--direct", "--service", "storage")

        def say(*more: object, **how: Any) -> Result:
            return presswork(nowhere, *command, *more, amqp_url=amqp_url, **how)

        said = [await asyncio.to_thread(say, "--dry-run", "--limit", 3)]
        said += [await asyncio.to_thread(say, answers="n\n", code=1)]
        untouched.append((len(heard), await asyncio.to_thread(depth, amqp_url)))
        said += [await asyncio.to_thread(say, "--yes", "--limit", 2)]
        await asyncio.to_thread(eventually, lambda: len(heard) == 7)
        await asyncio.to_thread(eventually, lambda: depth(amqp_url) == 5)  # both have died again
        said += [await asyncio.to_thread(say, "--yes")]
        await asyncio.to_thread(eventually, lambda: len(heard) == 12)
        await asyncio.to_thread(eventually, lambda: depth(amqp_url) == 5)
        await bus.stop(5)
        return said

    dry, refused, two, all_five = asyncio.run(scenario())
    assert "3 letters would be moved back to storage; nothing was." in dry.output
    assert "Move 5 back to storage?" in refused.output
    assert "Nothing was moved." in refused.output
    assert untouched == [(5, 5)]
    assert "2 letters moved back to storage." in two.output
    assert "5 letters moved back to storage." in all_five.output
    assert len(heard) == 12


def test_without_a_database_it_is_said_how_many_letters_ingest_may_have_in_its_hands(amqp_url: str) -> None:
    """None is ready then, and none is lost either."""
    held: list[DeadLetter] = []

    def on_dead_letter(letter: DeadLetter) -> None:
        held.append(letter)
        raise Unavailable("no database")

    keeper = Service("ingest", prefetch=PREFETCH, follows_progress=True, archives=("storage",))
    keeper.on(on_dead_letter)

    async def scenario() -> list[Result]:
        await declare(amqp_url, topology([keeper]))
        bus = RabbitBus(amqp_url, "ingest")
        await bus.connect()
        await bus.send(dead_route("storage"), Sealed(str(uuid4()), b"{}", {}))
        await bus.consume(keeper)
        await asyncio.to_thread(eventually, lambda: held)
        command = ("dead", "replay", "--direct", "--service", "storage", "--dry-run")

        def say(code: int) -> Result:
            return presswork("", *command, amqp_url=amqp_url, code=code)

        said = [await asyncio.to_thread(say, 3)]
        await bus.stop(0)
        await asyncio.to_thread(eventually, lambda: depth(amqp_url) == 1)
        return [*said, await asyncio.to_thread(say, 0)]

    while_it_runs, stopped = asyncio.run(scenario())
    assert f"ingest runs, and may have up to {PREFETCH} more in its hands: stop it first" in while_it_runs.output
    assert "None is ready to be moved." in while_it_runs.output
    assert "ingest" not in stopped.output.replace("services/ingest", "")
    assert "1 letter would be moved back to storage" in stopped.output


@pytest.mark.parametrize("option", ["--canary", "--wait", "--fingerprint=a41c", "--tenant=a@b.c", "--rate=5/s"])
def test_without_a_database_nothing_that_only_it_can_answer_is_passed_over(option: str) -> None:
    said = presswork("", "dead", "replay", "--direct", "--service", "storage", option, "--dry-run", code=2).output
    words = option.partition("=")[0]
    assert f"leave out {words}" in " ".join(said.replace("│", " ").split())


def depth(amqp_url: str) -> int:
    """How many letters wait in storage's dead-letter queue."""
    import aio_pika  # noqa: PLC0415

    async def ask() -> int:
        connection = await aio_pika.connect(amqp_url)
        async with connection:
            channel = await connection.channel()
            queue = await channel.declare_queue("presswork.storage.dead", passive=True)
            return queue.declaration_result.message_count or 0

    return asyncio.run(ask())


def test_an_operator_reads_the_receipt_of_any_upload(database_url: str, box: Letterbox) -> None:
    session = box.submitted("rose.png", "tulip.png")
    box.dies("storage", box.accepted(session, 0))
    rose = box.sessions.items(session)[0]["id"]
    receipt = presswork(database_url, "receipt", session.client_key).output
    assert f"failed     rose.png  {rose}\n    could not be stored: a fault" in receipt
    assert "2 received: 1 failed, 1 in progress" in receipt
    told = presswork(database_url, "sessions").output
    assert str(session.id) in told
    assert f"; its client calls it {session.client_key}" in told
    announced = box.sessions.announce(box.tenant, 1, 10)
    assert presswork(database_url, "sessions").output.count(announced.client_key) == 1, "they have one name"


def test_a_receipt_tells_what_was_cancelled_apart_from_what_failed(database_url: str, box: Letterbox) -> None:
    session = box.submitted("rose.png", "tulip.png")
    box.dies("storage", box.accepted(session, 0))
    presswork(database_url, "cancel", session.id, "--yes")
    tulip = box.sessions.items(session)[1]["id"]
    receipt = presswork(database_url, "receipt", session.id).output
    assert f"cancelled  tulip.png  {tulip}\n    cancelled by an operator on " in receipt
    assert "2 received: 1 failed, 1 cancelled\n" in receipt
    words = "Upload cancelled: 0 of 2 stored by then, 1 failed, 1 cancelled;"
    assert words in presswork(database_url, "sessions").output


def test_an_operator_reads_what_an_unfinished_upload_waits_for(
    database_url: str, box: Letterbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = box.submitted("rose.png")
    tenant = {"email": "Ana@example.com", "email_key": "ana@example.com", "hashed_password": "x"}
    shop = {"shop_name": "North Cups", "shop_folder": "North Cups", "shop_folder_key": "north cups"}
    with transaction(box.engine) as connection:
        connection.execute(insert(users).values(id=box.tenant, **tenant, **shop))

    def told() -> tuple[str, str]:
        return presswork(database_url, "receipt", session.id).output, presswork(database_url, "sessions").output

    box.project(WorkDelayed(service="storage", session_id=session.id, cause="NasRefused: it is in use", again_in_s=300))
    receipt, sessions_ = told()
    assert "    waits for: it is in use; tried again in 5 minutes\n" in receipt
    assert " - waiting: it is in use; tried again in 5 minutes; its client" in sessions_
    monkeypatch.setenv("NAS_SHOPS", json.dumps({"north cups": "/nowhere"}))
    away = WorkDelayed(
        service="storage", session_id=waiting_as(f"{COMMON}.north cups"), cause="NasFull: the NAS is full"
    )
    box.project(away)
    assert all("the NAS is full" in said for said in told()), "the shop's own NAS"
    assert json.loads(presswork(database_url, "receipt", session.id, "--json").stdout)["waits_for"]
    box.project(box.failed(session, 0))
    assert not any("wait" in said for said in told())
