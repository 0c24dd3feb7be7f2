"""The lanes side by side, from the rows and events of real uploads: what the command and the API tell of them."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, text
from typer.testing import CliRunner

from services.cli import app
from services.ingest.lane_choice import COMPARED, DEFAULT
from services.ingest.lane_comparison import compared, moment, unlike
from services.ingest.sessions.intake.grace_period import Unasked
from services.ingest.sessions.lifecycle.records import Session, Wanted
from services.ingest.sessions.progress.delays import Delays
from shared.contracts import DesignStored, DuplicateFound, ImageFailed, ImageHashed, Match, WorkDelayed
from tests.integration.ingest.frontend import Shop
from tests.integration.ops.letterbox import BLOB, Letterbox
from tests.integration.ops.pipeline import System
from tests.integration.ops.test_ops_api import stranger, viewer
from tests.integration.uploads import LISTING, MOCKUP

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
NEW = datetime(2000, 1, 1, tzinfo=UTC)

__all__ = ["stranger", "viewer"]


def ended(box: Letterbox, session: Session, seconds: float, *ends: str) -> None:
    """See the files of a session to these ends, so long after it was submitted."""
    for index, end in enumerate(ends):
        accepted = box.accepted(session, index)
        hashed = ImageHashed.model_validate(accepted.model_dump())
        base = box.about(session, index)
        match = Match(source="session", filename="a.png")
        last = {
            "stored": lambda base=base: DesignStored(**base, number=1, name="UV 1", path="s/1", print_file=BLOB),
            "duplicate": lambda base=base, match=match: DuplicateFound(
                **base, kind="near", distance=0, match=match, reason="the same"
            ),
            "failed": lambda base=base: ImageFailed(**base, failed_stage="storage", reason="a disk"),
        }[end]()
        box.project(hashed, last)
    moved = text("UPDATE ingest.session_events SET created_at = :at WHERE session_id = :id AND type = ANY(:types)")
    submitted = session.submitted_at or NOW
    with box.engine.begin() as connection:
        for share, types in ((0.5, ["hashed"]), (1.0, ["stored", "duplicate", "failed"])):
            at = submitted + timedelta(seconds=share * seconds)
            connection.execute(moved, {"at": at, "id": session.id, "types": types})
        settled = text("UPDATE ingest.sessions SET settled_at = :at WHERE id = :id")
        connection.execute(settled, {"at": submitted + timedelta(seconds=seconds), "id": session.id})


def upload(box: Letterbox, lane: str, reason: str, seconds: float, *ends: str) -> Session:
    session = box.submitted(*(f"{number}.png" for number in range(len(ends))), lane=lane)
    with box.engine.begin() as connection:
        because = text("UPDATE ingest.sessions SET lane_reason = :reason WHERE id = :id")
        connection.execute(because, {"reason": reason, "id": session.id})
    ended(box, session, seconds, *ends)
    return session


def test_each_lane_has_its_times_and_rates_and_in_it_each_reason(engine: Engine) -> None:
    box = Letterbox(engine)
    for seconds in (8.0, 10.0, 12.0):
        upload(box, "comprehensive", DEFAULT, seconds, "stored", "stored", "duplicate", "failed")
    upload(box, "original", COMPARED, 40.0, "stored", "stored")
    upload(box, "original", "few files", 2.0, "duplicate")
    with engine.connect() as connection:
        over_broker, original = compared(connection, NEW)
    assert (over_broker["lane"], over_broker["uploads"], over_broker["files"]) == ("comprehensive", 3, 12)
    assert (over_broker["image_s"], over_broker["hash_s"]) == pytest.approx((10.0, 5.0))
    assert over_broker["image_s_p90"] == pytest.approx(12.0)
    assert over_broker["pace_s"] == pytest.approx(2.5)
    assert (over_broker["duplicate_rate"], over_broker["failed_rate"]) == (0.25, 0.25)
    assert (over_broker["bytes"], over_broker["retries"], over_broker["in_progress"]) == (12_000.0, 0, 0)
    reasons = {row["lane_reason"]: (row["uploads"], row["image_s"]) for row in original["reasons"]}
    assert reasons == {COMPARED: (1, pytest.approx(40.0)), "few files": (1, pytest.approx(2.0))}
    words = unlike([over_broker, original])
    assert words is not None
    assert "comprehensive 4, original 1.5" in words


def test_what_was_tried_anew_is_counted_and_says_nothing_of_the_time(engine: Engine) -> None:
    box = Letterbox(engine)
    session = upload(box, "comprehensive", DEFAULT, 5.0, "stored", "failed")
    box.sessions.retry(session, "somebody")
    box.project(DesignStored(**box.about(session, 1, 1), number=2, name="UV 2", path="s/2", print_file=BLOB))
    with engine.connect() as connection:
        (found,) = compared(connection, NEW)
    assert (found["stored"], found["failed"], found["retries"]) == (2, 0, 1)
    assert found["image_s_p90"] == pytest.approx(5.0)
    assert found["pace_s"] is None


def test_what_made_way_for_its_original_was_not_tried_anew(engine: Engine) -> None:
    """By nobody, though it has a later generation: as near copies that are decided anew have."""
    box = Letterbox(engine)
    session = box.submitted("large.png", "small.png")
    box.project(box.accepted(session, 1), box.accepted(session, 0))
    original = box.about(session, 0)["item_id"]
    match = Match(source="session", filename="large.png", item_id=original)
    away = box.about(session, 1, 1)
    box.project(DuplicateFound(**away, kind="near", distance=0, match=match, reason="the same", anew=True))
    with engine.connect() as connection:
        (found,) = compared(connection, NEW)
    assert (found["duplicate"], found["retries"]) == (1, 0)


def stored(box: Letterbox, session: Session, index: int, generation: int = 0) -> DesignStored:
    base = box.about(session, index, generation)
    return DesignStored(**base, number=index + 1, name=f"UV {index}", path=f"s/{index}", print_file=BLOB)


def later(box: Letterbox, session: Session, seconds: float) -> None:
    """As if what ended the session had come so long after it was submitted."""
    with box.engine.begin() as connection:
        settled = text(
            "UPDATE ingest.sessions SET settled_at = submitted_at + make_interval(secs => :s) WHERE id = :id"
        )
        connection.execute(settled, {"s": seconds, "id": session.id})


def pace(engine: Engine) -> float | None:
    with engine.connect() as connection:
        (found,) = compared(connection, NEW)
    return float(found["pace_s"]) if found["pace_s"] is not None else None


def test_the_time_until_somebody_cancels_the_last_file_is_not_the_lanes(engine: Engine) -> None:
    box = Letterbox(engine)
    session = box.submitted("0.png", "1.png")
    box.project(stored(box, session, 0))
    box.sessions.cancel(box.tenant, session.id, box.sessions.items(session)[1]["id"])
    later(box, session, 500.0)
    assert pace(engine) is None


def test_a_file_that_waited_for_one_that_somebody_had_to_cancel_says_nothing_of_the_time(engine: Engine) -> None:
    """Numbers are given in the order of the upload."""
    box = Letterbox(engine)
    session = box.submitted("0.png", "1.png", "2.png")
    box.project(stored(box, session, 0))
    box.sessions.cancel(box.tenant, session.id, box.sessions.items(session)[1]["id"])
    box.project(stored(box, session, 2))
    with box.engine.begin() as connection:
        late = text("UPDATE ingest.session_events SET created_at = created_at + interval '500 s' WHERE item_id = :id")
        connection.execute(late, {"id": box.sessions.items(session)[2]["id"]})
    with engine.connect() as connection:
        (found,) = compared(connection, NEW)
    assert (found["stored"], found["cancelled"]) == (2, 1)
    assert found["image_s_p90"] < 10


def test_the_time_until_somebody_tries_a_file_again_is_not_the_lanes(engine: Engine) -> None:
    """Before the others have ended, so that the upload was never over and taken up again."""
    box = Letterbox(engine)
    session = box.submitted("0.png", "1.png")
    box.project(box.failed(session, 0))
    box.sessions.retry(session, "somebody")
    box.project(stored(box, session, 1), stored(box, session, 0, 1))
    later(box, session, 500.0)
    assert pace(engine) is None


def test_the_time_until_somebody_asks_for_listings_is_not_the_lanes(engine: Engine) -> None:
    box = Letterbox(engine)
    session = upload(box, "comprehensive", DEFAULT, 5.0, "stored")
    with engine.connect() as connection:
        before = compared(connection, NEW)[0]
    assert Unasked(engine, 0).finish() == 1
    (design,) = box.sessions.items(session)
    template = LISTING.model_copy(update={"template_id": design["template_id"]})
    assert box.sessions.ask_listings(box.tenant, [design["id"]], Wanted("s", template, MOCKUP, ())) == [design["id"]]
    with engine.connect() as connection:
        after = compared(connection, NEW)[0]
    assert (after["image_s"], after["pace_s"]) == (before["image_s"], before["pace_s"]) == (5.0, 5.0)
    box.sessions.cancel(box.tenant, session.id, None)
    with engine.connect() as connection:
        (after,) = compared(connection, NEW)
    assert (after["listings_failed"], after["listings_cancelled"], after["pace_s"]) == (0, 1, 5.0)


def test_uploads_from_before_are_left_out(engine: Engine) -> None:
    box = Letterbox(engine)
    upload(box, "original", DEFAULT, 5.0, "stored")
    with engine.connect() as connection:
        assert compared(connection, datetime.now(UTC) + timedelta(minutes=1)) == []


def test_a_time_is_said_as_people_say_it() -> None:
    assert moment("7d", NOW) == NOW - timedelta(days=7)
    assert moment("12h", NOW) == NOW - timedelta(hours=12)
    assert moment("2026-11-24T18:30+02:00") == datetime(2026, 11, 24, 16, 30, tzinfo=UTC)
    with pytest.raises(ValueError, match="say it like 7d"):
        moment("yesterday")


def test_uploads_that_began_over_a_broker_are_told_where_there_is_none(database_url: str, box: Letterbox) -> None:
    """`up --embedded` on the data of a system with a broker: no service that waits for it runs and could say so."""
    where = {"DATABASE_URL": database_url, "AMQP_URL": None, "EMBEDDED": "1"}
    box.submitted("rose.png", lane="original")
    assert CliRunner().invoke(app, ["waits"], env=where).output == "Nothing waits.\n"
    box.submitted("tulip.png")
    told = "broker: there is none, and 1 upload began over one: start without --embedded\n"
    assert CliRunner().invoke(app, ["waits"], env=where).output == told


def test_resumed_work_is_not_said_to_be_sent_where_no_broker_takes_it(database_url: str, box: Letterbox) -> None:
    box.submitted("tulip.png")
    embedded = {"DATABASE_URL": database_url, "AMQP_URL": None, "EMBEDDED": "1"}
    told = "1 session resumed: ingest sends all of it once it is started with a broker (without --embedded)\n"
    assert CliRunner().invoke(app, ["resume"], env=embedded).output.endswith(told)
    connected = embedded | {"AMQP_URL": "amqp://127.0.0.1:1/", "EMBEDDED": "0"}
    assert CliRunner().invoke(app, ["resume"], env=connected).output.endswith("resumed: ingest sends all of it now\n")


def test_what_services_wait_for_is_for_viewers_and_the_command(system: System, viewer: Shop, shop: Shop) -> None:
    cause = "NasRefused: can't store 'NorthCups/a.png' on the NAS sftp://anna@nas.example"
    delays = Delays(system.engine)
    try:
        delays.note(WorkDelayed(service="storage", session_id=None, cause=cause))
        assert shop.client.get("/api/v1/ops/waits").status_code == 403
        seen = viewer.client.get("/api/v1/ops/waits").json()
        assert seen["uploads"] == "accepted"
        assert f"storage: {cause.partition(': ')[2]}" in seen["waits_for"]
        assert json.loads(system.command("waits", "--json").stdout)["waits_for"] == seen["waits_for"]
        assert "sftp://anna@nas.example" in system.command("waits").output
    finally:
        delays.note(WorkDelayed(service="storage", session_id=None, cause=""))


def test_the_command_says_what_is_wrong_with_the_broker_over_which_nobody_can_tell(system: System) -> None:
    assert "broker" not in system.command("waits").output
    assert json.loads(system.command("waits", "--json").stdout)["broker"] == "ok"
    cut_off = replace(system, amqp_url="amqp://guest:guest@127.0.0.1:1/")
    assert cut_off.command("waits").output.startswith("broker: RabbitMQ at 127.0.0.1:1/ can't be asked")
    assert "can't be asked" in json.loads(cut_off.command("waits", "--json").stdout)["broker"]


def test_viewers_and_the_command_see_the_same_and_sellers_nothing(system: System, viewer: Shop, shop: Shop) -> None:
    session = shop.start()
    shop.uploaded([("a.png", b"no picture"), ("b.png", b"nor this")], session)
    assert shop.get(session)["lane_reason"] == DEFAULT
    assert shop.client.get("/api/v1/ops/lanes").status_code == 403
    seen = viewer.client.get("/api/v1/ops/lanes", params={"since": "1d"}).json()
    said = json.loads(system.command("lanes", "--since", "1d", "--json").stdout)
    assert seen["lanes"] == said["lanes"]
    assert "comprehensive" in {lane["lane"] for lane in said["lanes"]}
    assert "seconds from submission to a file's end" in system.command("lanes").output
    assert viewer.client.get("/api/v1/ops/lanes", params={"since": "soon"}).status_code == 422
    assert "say it like 7d" in system.command("lanes", "--since", "soon", code=2).output
