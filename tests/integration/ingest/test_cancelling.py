"""Cancelled work ends in words at once, is never sent, and does not come back; what was stored stays."""

import contextlib
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, create_engine, text
from typer import Exit

from services.dedup.store import HashIndex
from services.ingest.sessions.actions.cancelling import unfinished
from services.ingest.sessions.intake.submitting import SessionCancelled
from services.ingest.sessions.serving import views
from services.ingest.sessions.serving.store import Sessions
from services.mockup.rendering import render
from services.ops.cancel import command as cancel_as_operator
from services.ops.place import NOTHING
from services.ops.resume import resume, resume_others
from shared.contracts import (
    BatchSubmitted,
    ImageAccepted,
    ImageFailed,
    ImageHashed,
    ItemEvent,
    ListingPublished,
    Message,
    MockupsRequested,
    StorageFailed,
    WorkCancelled,
)
from tests.integration.ingest import artworks, embedded, frontend
from tests.integration.ingest.embedded import Place
from tests.integration.ingest.frontend import Shop
from tests.integration.ingest.test_uploads_restarts import unmounted, waiting
from tests.integration.uploads import (
    MOCKUP,
    PREPARED,
    USER,
    about,
    account,
    ask,
    choice,
    copy_of,
    duplicate,
    failed,
    listed,
    project,
    received,
    relayed,
    stored,
    submitted,
)
from tests.waiting import eventually

WORDS = "cancelled by you on "


def sent(engine: Engine) -> list[Message]:
    """Everything that is still to be sent."""
    return [envelope.message for lane in ("comprehensive", "ahead") for envelope in relayed(engine, lane)]


def test_what_is_unfinished_ends_in_words_and_what_is_stored_stays(engine: Engine, sessions: Sessions) -> None:
    session, files = submitted(sessions, "a.png", "b.png", "c.png", "d.png")
    project(engine, *stored(session, files[0]), *duplicate(session, files[1]), *stored(session, files[2])[:1])
    done = sessions.cancel(USER, session.id, None)
    late = "what is being written just now may still be stored"  # c.png is past its hasher
    assert str(done) == f"Cancelled: 2 files; {late}; 1 design stored before stays stored."
    now = account(engine, sessions, session.id)
    assert (now.totals.stored, now.totals.duplicate, now.totals.failed, now.finished) == (1, 1, 2, True)
    rows = sessions.items(session)
    assert [row["state"] for row in rows] == ["stored", "duplicate", "failed", "failed"]
    assert all(row["reason"].startswith(WORDS) and row["facts"]["code"] == "cancelled" for row in rows[2:])
    assert (now.totals.cancelled, [views.item(row)["cancelled"] for row in rows]) == (2, [False, False, True, True])
    (told,) = sent(engine)
    assert isinstance(told, WorkCancelled), "no batch of it is sent any more"
    assert [file.filename for file in told.files] == ["c.png", "d.png"]


def test_a_copy_of_what_is_cancelled_with_it_is_cancelled_too_and_tried_again_with_it(
    engine: Engine, sessions: Sessions
) -> None:
    session, files = submitted(sessions, "large.png", "small.png", "a.png", "b.png")
    large, small, a, b = files
    project(engine, *stored(session, large)[:2], copy_of(large, session, small, review=True))
    project(engine, *stored(session, a), copy_of(a, session, b))
    assert account(engine, sessions, session.id).totals.to_review == 1
    with engine.connect() as connection:
        assert unfinished(connection, session.id, None).files == 2
    done = sessions.cancel(USER, session.id, None)
    assert done is not None
    assert (done.files, done.stored, done.at_hand) == (2, 1, 1)
    now = account(engine, sessions, session.id).totals
    assert (now.failed, now.cancelled, now.duplicate, now.to_review, now.stored) == (2, 2, 1, 0, 1)
    (row,) = (row for row in sessions.items(session) if row["id"] == small.item_id)
    assert (row["state"], row["review"], row["pair"], views.item(row)["cancelled"]) == ("failed", None, None, True)
    assert row["reason"].startswith(WORDS)
    assert row["reason"].endswith("; it is a copy of large.png, which was not stored by then")
    (told,) = sent(engine)
    assert isinstance(told, WorkCancelled)
    assert [file.filename for file in told.files] == ["large.png", "small.png"]
    assert str(sessions.cancel(USER, session.id, None)).startswith("Nothing is left to cancel; 1 design")
    again = sessions.retry(session, "ana")
    assert [opened.filename for opened in again.files] == ["large.png", "small.png"]
    now = sessions.receipt(session)[0].totals
    assert (now.in_progress, now.failed, now.cancelled, now.duplicate) == (2, 0, 0, 1)


def test_an_upload_that_was_cancelled_and_tried_again_is_not_resumed_for_ever(
    engine: Engine, sessions: Sessions
) -> None:
    """Its original turned out to be a copy itself. Dedup decides nothing anew for whoever was cancelled."""
    session, (a, large, small) = submitted(sessions, "a.png", "large.png", "small.png")
    project(engine, *stored(session, a), *stored(session, large)[:2], copy_of(large, session, small))
    sessions.cancel(USER, session.id, None)
    again = {row.id for row in sessions.retry(session, "ana").files}
    project(engine, *(copy_of(a, session, file, generation=1) for file in (large, small) if file.item_id in again))
    assert [row["state"] for row in sessions.items(session)] == ["stored", "duplicate", "duplicate"]
    sessions.cancel(USER, session.id, None)
    assert resume(engine, 2) == []


def test_of_a_file_that_is_tried_again_the_first_tries_batch_is_at_hand_no_more(
    engine: Engine, sessions: Sessions
) -> None:
    """Or its seller reads that it may be stored still, while its new batch waits here for its turn."""
    session, _ = submitted(sessions, "a.png")
    assert len(sent(engine)) == 1
    first = sessions.cancel(USER, session.id, None)
    assert first is not None
    assert first.at_hand == 1
    sessions.retry(session, "ana")
    second = sessions.cancel(USER, session.id, None)
    assert second is not None
    assert (second.files, second.at_hand) == (1, 0)


def test_a_cancelled_copy_stays_cancelled_whatever_is_told_of_it_late(engine: Engine, sessions: Sessions) -> None:
    """Dedup may have decided it anew just before it heard; storage answers for what it is told."""
    session, (large, small) = submitted(sessions, "large.png", "small.png")
    project(engine, *stored(session, large)[:2], copy_of(large, session, small))
    sessions.cancel(USER, session.id, None)
    anew = about(session, small, generation=1)
    late: list[ItemEvent] = [copy_of(large, session, small), StorageFailed(**about(session, small), reason="no")]
    project(engine, *late, ImageAccepted(**anew, **PREPARED), *stored(session, large)[2:])
    states = {row["filename"]: row["state"] for row in sessions.items(session)}
    assert states == {"large.png": "stored", "small.png": "failed"}
    assert account(engine, sessions, session.id).totals.cancelled == 1


def test_a_copy_goes_with_its_upload_though_its_original_is_of_another_that_goes_on(
    engine: Engine, sessions: Sessions
) -> None:
    """Dedup decides anew about no file of a cancelled upload, should that original fail."""
    first, (original,) = submitted(sessions, "first.png")
    second, (copy,) = submitted(sessions, "copy.png")
    project(engine, *stored(first, original)[:2], copy_of(original, second, copy))
    assert str(sessions.cancel(USER, second.id, None)) == "Cancelled: 1 file."
    assert [row["state"] for row in sessions.items(first)] == ["accepted"]
    account(engine, sessions, second.id)


def test_a_copy_goes_on_when_its_original_alone_is_cancelled(engine: Engine, sessions: Sessions) -> None:
    session, (large, small) = submitted(sessions, "large.png", "small.png")
    project(engine, *stored(session, large)[:2], copy_of(large, session, small))
    sessions.cancel(USER, session.id, large.item_id)
    told = [message for message in sent(engine) if isinstance(message, WorkCancelled)]
    assert [[file.filename for file in message.files] for message in told] == [["large.png"]]
    assert [row["state"] for row in sessions.items(session)] == ["failed", "duplicate"]
    project(engine, *stored(session, small, generation=1))
    assert [row["state"] for row in sessions.items(session)] == ["failed", "stored"]


@pytest.mark.parametrize("unfinished", [[], ["unfinished.png"]])
def test_what_was_kept_and_is_a_duplicate_again_as_its_upload_was_cancelled_can_be_kept_once_more(
    engine: Engine, sessions: Sessions, unfinished: list[str]
) -> None:
    """Dedup decided it anew before it heard that it is kept; the batch that would have told dedup was never sent."""
    session, (large, small, *_) = submitted(sessions, "large.png", "small.png", *unfinished)
    project(engine, *stored(session, large), copy_of(large, session, small, review=True))
    sent(engine)

    def keep() -> str:
        return str(sessions.decide(session, lambda _: {small.item_id: "keep"}, "ana", lambda _: True))

    assert keep() == "1 file kept and worked on again."
    project(engine, copy_of(large, session, small, generation=1))
    sessions.cancel(USER, session.id, None)
    assert not [message for message in sent(engine) if isinstance(message, BatchSubmitted)]
    assert [row["state"] for row in sessions.items(session)][:2] == ["stored", "duplicate"]
    assert keep() == "1 file kept and worked on again."
    assert [row["state"] for row in sessions.items(session)][:2] == ["stored", "received"]


def test_cancelling_again_changes_nothing(engine: Engine, sessions: Sessions) -> None:
    session, _ = submitted(sessions, "a.png", "b.png")
    with ThreadPoolExecutor(3) as pool:
        done = list(pool.map(lambda _: sessions.cancel(USER, session.id, None), range(3)))
    assert sorted(found.files for found in done if found) == [0, 0, 2]
    events = account(engine, sessions, session.id).last_seq
    assert str(sessions.cancel(USER, session.id, None)) == "Nothing is left to cancel."
    assert account(engine, sessions, session.id).last_seq == events
    assert len(sent(engine)) == 1


def test_one_file_is_cancelled_and_the_others_of_its_batch_are_sent(engine: Engine, sessions: Sessions) -> None:
    session, files = submitted(sessions, "a.png", "b.png", "c.png", "d.png", "e.png")
    done = sessions.cancel(USER, session.id, files[2].item_id)
    assert str(done) == "Cancelled: 1 file."
    told = sent(engine)
    named = [file.filename for message in told if isinstance(message, BatchSubmitted) for file in message.files]
    assert sorted(named) == ["a.png", "b.png", "d.png", "e.png"]
    (cancelled,) = (message for message in told if isinstance(message, WorkCancelled))
    assert [file.filename for file in cancelled.files] == ["c.png"]
    totals = account(engine, sessions, session.id).totals
    assert (totals.failed, totals.in_progress) == (1, 4)


def test_late_results_bring_nothing_back_but_a_design_that_had_reached_the_nas(
    engine: Engine, sessions: Sessions
) -> None:
    session, files = submitted(sessions, "a.png", "b.png")
    assert len(sent(engine)) == 2
    late = "what is being written just now may still be stored."
    assert str(sessions.cancel(USER, session.id, files[0].item_id)) == f"Cancelled: 1 file; {late}"
    sessions.cancel(USER, session.id, None)
    anew = ImageAccepted(**about(session, files[0], generation=1), **PREPARED)  # decided anew at the last moment
    project(engine, *stored(session, files[0])[:2], anew, *duplicate(session, files[1]))
    assert {row["state"] for row in sessions.items(session)} == {"failed"}
    project(engine, stored(session, files[0])[2])
    totals = account(engine, sessions, session.id).totals
    assert (totals.stored, totals.failed, totals.cancelled) == (1, 1, 1)
    assert account(engine, sessions, session.id).finished


def test_listings_that_are_not_made_yet_are_cancelled_and_one_that_was_made_is_listed(
    engine: Engine, sessions: Sessions
) -> None:
    session, files = submitted(sessions, "a.png", "b.png", "c.png")
    project(engine, *stored(session, files[0]), *stored(session, files[1]))
    ask(sessions, *(file.item_id for file in files))
    project(engine, listed(session, files[0])[0])
    done = sessions.cancel(USER, session.id, None)
    assert done is not None
    assert (done.files, done.listings, done.stored) == (1, 3, 2)
    assert "; what is at the shop just now may still be listed; 2 designs stored before" in str(done)
    (told,) = sent(engine)
    assert isinstance(told, WorkCancelled)
    assert {item for item, _, _ in told.listings} == {file.item_id for file in files}
    assert account(engine, sessions, session.id).totals.listing_cancelled == 3
    assert [views.item(row)["listing_cancelled"] for row in sessions.items(session)] == [True, True, True]
    late = ListingPublished(**about(session, files[0]), mockup_id=MOCKUP, target="dry-run", listing_id="1")
    project(engine, late)
    totals = account(engine, sessions, session.id).totals
    assert (totals.requested, totals.listed, totals.listing_failed, totals.listing_cancelled) == (3, 1, 2, 2)


@pytest.mark.parametrize("whole", [True, False])
def test_a_listing_whose_request_was_sent_may_be_at_the_shop_and_one_that_is_taken_back_is_not(
    engine: Engine, sessions: Sessions, *, whole: bool
) -> None:
    late = "; what is at the shop just now may still be listed"
    for is_sent in (True, False):
        session, files = submitted(sessions, "a.png")
        project(engine, *stored(session, files[0]))
        sent(engine)
        ask(sessions, files[0].item_id)
        told = sent(engine) if is_sent else []
        assert [type(message) for message in told] == [MockupsRequested] * is_sent
        done = sessions.cancel(USER, session.id, None if whole else files[0].item_id)
        words = f"Cancelled: 1 listing{late if is_sent else ''}; 1 design stored before stays stored."
        assert (str(done), done and done.at_shop) == (words, int(is_sent))


def test_files_that_come_after_their_session_was_cancelled_are_refused(engine: Engine, sessions: Sessions) -> None:
    session = sessions.announce(USER, 1, 10)
    assert str(sessions.cancel(USER, session.id, None)) == "The upload is cancelled: its files had not come yet."
    assert str(sessions.cancel(USER, session.id, None)) == "Nothing is left to cancel."
    with pytest.raises(SessionCancelled):
        sessions.submit(USER, session.client_key, choice(), received("a.png"), "comprehensive")
    assert account(engine, sessions, session.id).totals.received == 0


def test_an_upload_that_waits_to_be_listed_is_cancelled_and_says_so(engine: Engine, sessions: Sessions) -> None:
    session, files = submitted(sessions, "a.png")
    project(engine, *stored(session, files[0]))
    done = sessions.cancel(USER, session.id, None)
    words = "The upload is cancelled before its listings were asked for; 1 design stored before stays stored."
    assert str(done) == words
    now = account(engine, sessions, session.id)
    assert (now.finished, views.session(now)["message"]) == (True, "Upload cancelled: 1 of 1 stored by then")
    again = sessions.cancel(USER, session.id, None)
    assert str(again) == "Nothing is left to cancel; 1 design stored before stays stored."


def test_a_session_that_has_ended_is_not_cancelled_afterwards(engine: Engine, sessions: Sessions) -> None:
    session, files = submitted(sessions, "a.png")
    project(engine, *duplicate(session, files[0]))
    assert str(sessions.cancel(USER, session.id, None)) == "Nothing is left to cancel."
    assert account(engine, sessions, session.id).cancelled_at is None


def test_what_was_stored_of_a_cancelled_session_can_be_listed_when_somebody_asks(
    engine: Engine, sessions: Sessions
) -> None:
    session, files = submitted(sessions, "a.png", "b.png")
    project(engine, *stored(session, files[0]))
    sessions.cancel(USER, session.id, None)
    assert account(engine, sessions, session.id).finished
    assert ask(sessions, files[0].item_id) == [files[0].item_id]
    now = sessions.get(USER, session.id)
    assert now is not None
    assert (now.finished, now.cancelled_at) == (False, None)
    project(engine, ListingPublished(**about(session, files[0]), mockup_id=MOCKUP, target="dry-run", listing_id="1"))
    now = sessions.get(USER, session.id)
    assert now is not None
    assert (now.finished, now.totals.listed, now.totals.failed) == (True, 1, 1)


def test_listings_that_were_cancelled_are_asked_for_anew_as_their_next_generation(
    engine: Engine, sessions: Sessions
) -> None:
    session, files = submitted(sessions, "a.png")
    project(engine, *stored(session, files[0]))
    ask(sessions, files[0].item_id)
    sent(engine)
    sessions.cancel(USER, session.id, None)
    cancelled = account(engine, sessions, session.id)
    assert cancelled.cancelled_at is not None
    assert len(sessions.retry(cancelled, "ana").listings) == 1
    now = sessions.get(USER, session.id)
    assert now is not None
    assert (now.finished, now.cancelled_at, now.totals.listing_cancelled) == (False, None, 0)
    told, asked = sorted(sent(engine), key=lambda message: type(message).__name__, reverse=True)
    assert isinstance(told, WorkCancelled)
    assert isinstance(asked, MockupsRequested)
    ((_, _, generation),) = told.listings
    assert asked.generation > generation, "or the publisher would take it for the one that nobody wants"


def test_what_was_cancelled_and_is_taken_up_again_counts_as_cancelled_no_more(
    engine: Engine, sessions: Sessions
) -> None:
    session, files = submitted(sessions, "a.png", "b.png")
    project(engine, *stored(session, files[0]))
    ask(sessions, *(file.item_id for file in files))
    sessions.cancel(USER, session.id, None)
    sessions.retry(session, "ana", [files[1].item_id])
    totals = sessions.receipt(session)[0].totals
    assert (totals.cancelled, totals.listing_cancelled) == (0, 1)
    ask(sessions, files[0].item_id)
    totals = sessions.receipt(session)[0].totals
    assert (totals.cancelled, totals.listing_cancelled, totals.listing_failed) == (0, 0, 0)


def test_after_the_broker_was_lost_storage_tells_whether_it_had_stored_what_was_cancelled(
    engine: Engine, sessions: Sessions
) -> None:
    session, _ = submitted(sessions, "a.png")
    sessions.cancel(USER, session.id, None)
    sent(engine)
    resume_others(engine)
    told = [message for message in sent(engine) if isinstance(message, ImageFailed)]
    assert [(failure.filename, failure.failed_stage) for failure in told] == [("a.png", "storage")]


def test_who_waits_behind_a_cancelled_file_hears_of_it_as_storage_did(engine: Engine, sessions: Sessions) -> None:
    session, files = submitted(sessions, "a.png", "b.png")
    sessions.cancel(USER, session.id, files[0].item_id)
    project(engine, *failed(session, files[1]))
    sent(engine)
    sessions.retry(session, "ana", [files[1].item_id])
    told = [message for message in sent(engine) if isinstance(message, ImageFailed)]
    assert [(failure.filename, failure.failed_stage) for failure in told] == [("a.png", "storage")]


def test_who_waits_behind_a_file_that_ingest_gave_up_hears_of_it_so_that_storage_listens(
    engine: Engine, sessions: Sessions
) -> None:
    session, files = submitted(sessions, "a.png", "b.png")
    project(engine, ImageFailed(**about(session, files[0]), failed_stage="ingest", reason="gave up"))
    project(engine, *failed(session, files[1]))
    sent(engine)
    sessions.retry(session, "ana", [files[1].item_id])
    told = [message for message in sent(engine) if isinstance(message, ImageFailed)]
    assert [(failure.filename, failure.failed_stage) for failure in told] == [("a.png", "storage")]


def test_nobody_cancels_what_is_somebody_elses(sessions: Sessions) -> None:
    session, files = submitted(sessions, "a.png")
    other, _ = submitted(sessions, "b.png")
    assert sessions.cancel(uuid4(), session.id, None) is None
    assert sessions.cancel(USER, other.id, files[0].item_id) is None
    assert sessions.items(session)[0]["state"] == sessions.items(other)[0]["state"] == "received"


def test_an_operator_is_not_the_user(
    database_url: str,
    sessions: Sessions,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    session, _ = submitted(sessions, "a.png")
    assert str(cancel_as_operator(str(session.id), None, tmp_path, yes=True)) == "Cancelled: 1 file."
    assert sessions.items(session)[0]["reason"].startswith("cancelled by an operator on ")
    with pytest.raises(Exit) as ended:
        cancel_as_operator(str(uuid4()), None, tmp_path, yes=True)
    assert ended.value.exit_code == NOTHING
    assert "there is no upload" in capsys.readouterr().err


def test_five_thousand_files_are_cancelled_in_one_go_while_their_results_come_in(
    engine: Engine, sessions: Sessions
) -> None:
    session, files = submitted(sessions, *(f"{n}.png" for n in range(5000)))
    begun = threading.Event()

    def results() -> None:
        for file in files[:60]:
            project(engine, *stored(session, file))
            begun.set()

    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(results)
        assert begun.wait(30)
        done = sessions.cancel(USER, session.id, None)
        late.result(60)
    assert done is not None
    totals = account(engine, sessions, session.id).totals
    assert totals.in_progress == 0
    assert totals.stored == 60
    assert totals.failed == 5000 - 60


def claims(here: Place, session_id: str) -> list[Any]:
    engine = create_engine(here.database_url)
    with engine.connect() as connection:
        rows = connection.execute(
            text("SELECT state FROM dedup.hashes WHERE session_id = :id"), {"id": UUID(session_id)}
        ).scalars()
        found = list(rows)
    engine.dispose()
    return found


def count(here: Place, query: str) -> int:
    engine = create_engine(here.database_url)
    with engine.connect() as connection:
        found = int(connection.execute(text(query)).scalar_one())
    engine.dispose()
    return found


def failed_at_storage(here: Place) -> int:
    return count(here, "SELECT count(*) FROM storage.designs WHERE state = 'failed'")


def in_hand_at_storage(here: Place, item_id: str) -> int:
    return count(here, f"SELECT count(*) FROM storage.designs WHERE state = 'accepted' AND item_id = '{item_id}'")  # noqa: S608


@pytest.mark.usefixtures("impatient")
def test_a_cancelled_upload_leaves_nothing_behind_that_blocks_the_next(here: Place) -> None:
    """The NAS is away, so that all of it is on its way; its files are uploaded again afterwards."""
    files = artworks.designs(3)
    twice = [*files, ("copy.png", files[0][1])]
    with embedded.serving(here) as server, frontend.shop(server) as shop, ThreadPoolExecutor(1) as pool:
        session = shop.start(twice)
        with unmounted(here):
            uploading = pool.submit(shop.uploaded, twice, session)
            eventually(lambda: waiting(here) and shop.get(session)["totals"]["duplicate"] == 1)
            answer = shop.client.post(f"/api/v1/sessions/{session}/cancel")
            assert answer.status_code == 200, answer.text
            assert answer.json()["cancelled"] == {"files": 4, "listings": 0}
            body = uploading.result(30)
            assert body["designs"] == []
            assert {row["state"] for row in body["skipped"]} == {"failed"}
            assert shop.get(session)["state"] == "finished"
            eventually(lambda: failed_at_storage(here) >= 3)
        eventually(lambda: set(claims(here, shop.get(session)["session_id"])) == {"released"})
        again = shop.start(files)
        assert shop.uploaded(files, again)["total"] == 3
        with server.desk.sessions.engine.begin() as connection:  # as if by then all of it had been stored
            cancelled = text("UPDATE ingest.sessions SET cancelled_at = now() WHERE client_key = :key")
            connection.execute(cancelled, {"key": again})
        body = shop.uploaded(files, again)
        assert (body["designs"], len(body["kept"]), body["skipped"], body["in_progress"]) == ([], 3, [], 0)
        assert {item["state"] for item in shop.items(session)} == {"failed"}
        assert len(here.designs(shop.folder)) == 3
        stranger = shop.client.post(f"/api/v1/sessions/{uuid4()}/cancel")
        assert stranger.status_code == 404


@dataclass(frozen=True)
class Verdicts:
    """When dedup decides about each file of an upload, by its index, and when it tells of that."""

    decides: Sequence[threading.Event]
    tells: Sequence[threading.Event]

    def open(self, *gates: threading.Event) -> None:
        for gate in gates or (*self.decides, *self.tells):
            gate.set()


@pytest.fixture
def verdicts(monkeypatch: pytest.MonkeyPatch) -> Verdicts:
    """On three files. Two threads decide about a file and its copy, and either may be first, unless a test says so."""
    decide = HashIndex.decide_once
    gates = Verdicts([threading.Event() for _ in range(3)], [threading.Event() for _ in range(3)])

    def held_up(index: HashIndex, event: ImageHashed) -> list[Any]:
        assert gates.decides[event.index].wait(60)
        answers = decide(index, event)
        assert gates.tells[event.index].wait(60)
        return answers

    monkeypatch.setattr(HashIndex, "decide_once", held_up)
    return gates


@contextlib.contextmanager
def shop_with_room(here: Place, verdicts: Verdicts) -> Iterator[tuple[Shop, ThreadPoolExecutor]]:
    """A shop, and a thread to upload in. Storage has hands for these files and for all that a new shop has to file.

    Whatever a test finds wrong, the upload ends, and with it the thread that waits for its answer.
    """
    roomy = replace(here, changes={"NAS_MAX_CONNECTIONS": "8"})
    with embedded.serving(roomy) as server, frontend.shop(server) as shop, ThreadPoolExecutor(1) as pool:
        try:
            yield shop, pool
        finally:
            verdicts.open()


@pytest.mark.usefixtures("impatient")
def test_the_copy_of_a_file_that_is_cancelled_by_itself_is_stored_in_its_place(here: Place, verdicts: Verdicts) -> None:
    files = artworks.designs(2)
    twice = [*files, ("copy.png", files[0][1])]
    with shop_with_room(here, verdicts) as (shop, pool):
        session = shop.start(twice)
        with unmounted(here):
            uploading = pool.submit(shop.uploaded, twice, session)
            verdicts.open(*verdicts.tells, verdicts.decides[0])
            eventually(lambda: len(shop.items(session)) == 3)
            original = shop.items(session)[0]["item_id"]
            eventually(lambda: in_hand_at_storage(here, original))  # else its copy need not wait for the NAS
            verdicts.open()
            eventually(lambda: shop.get(session)["totals"]["duplicate"] == 1)
            answer = shop.client.post(f"/api/v1/sessions/{session}/items/{original}/cancel")
            assert answer.json()["cancelled"] == {"files": 1, "listings": 0}
            copy = shop.items(session)[2]
            retried = shop.client.post(f"/api/v1/sessions/{session}/items/{copy['item_id']}/retry")
            assert retried.json()["message"].endswith("; it is taken up by itself if that fails.")
        assert uploading.result(60)["total"] in (1, 2), "until storage lets the original go, its copy has its end"
        ends = ["failed", "stored", "stored"]
        eventually(lambda: [item["state"] for item in shop.items(session)] == ends)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("first", ["original", "copy"])
def test_the_copy_of_a_cancelled_file_that_storage_has_not_taken_in_hand_is_taken_up_at_once(
    here: Place, verdicts: Verdicts, first: str
) -> None:
    """The NAS is away, and storage has nothing to remove from it: it is told late of the original, or waits before."""
    files = artworks.designs(2)
    twice = [*files, ("copy.png", files[0][1])]
    with shop_with_room(here, verdicts) as (shop, pool):
        session = shop.start(twice)
        with unmounted(here):
            uploading = pool.submit(shop.uploaded, twice, session)
            if first == "original":
                verdicts.open(verdicts.decides[0])
                eventually(lambda: count(here, "SELECT count(*) FROM dedup.hashes"))
                verdicts.open(*verdicts.decides, *verdicts.tells[1:])
            else:
                verdicts.open(*verdicts.decides[1:], *verdicts.tells)
                eventually(lambda: len(shop.items(session)) == 3)
                eventually(lambda: in_hand_at_storage(here, shop.items(session)[2]["item_id"]))
                verdicts.open()
            eventually(lambda: shop.get(session)["totals"]["duplicate"] == 1)
            original, _, copy = (item["item_id"] for item in shop.items(session))
            assert not in_hand_at_storage(here, original)
            shop.client.post(f"/api/v1/sessions/{session}/items/{original}/cancel")
            eventually(lambda: shop.items(session)[2]["state"] == "accepted")
            retried = shop.client.post(f"/api/v1/sessions/{session}/items/{copy}/retry")
            assert retried.json()["message"] == "copy.png is being worked on already: nothing is tried again."
            verdicts.open()
        assert uploading.result(60)["total"] == 2
        assert [item["state"] for item in shop.items(session)] == ["failed", "stored", "stored"]


@pytest.mark.usefixtures("impatient")
def test_numbering_goes_on_behind_a_cancelled_file(here: Place) -> None:
    files = artworks.designs(4)
    with embedded.serving(here) as server, frontend.shop(server) as shop, ThreadPoolExecutor(1) as pool:
        session = shop.start(files)
        with unmounted(here):
            uploading = pool.submit(shop.uploaded, files, session)
            eventually(lambda: waiting(here) and shop.get(session)["totals"]["in_progress"] == 4)
            eventually(lambda: shop.items(session)[1]["state"] == "accepted")
            second = shop.items(session)[1]["item_id"]
            late = "Cancelled: 1 file; what is being written just now may still be stored."
            for words in (late, "Nothing is left to cancel."):
                answer = shop.client.post(f"/api/v1/sessions/{session}/items/{second}/cancel")
                assert answer.json()["message"] == words
            eventually(lambda: failed_at_storage(here) == 1)
        assert uploading.result(60)["total"] == 3
        assert [item["number"] for item in shop.items(session)] == [100, None, 101, 102]


@pytest.mark.usefixtures("impatient")
def test_what_was_cancelled_goes_on_when_it_is_tried_again(here: Place) -> None:
    """A retried upload isn't cancelled any more, though all services were told that nobody wants it."""
    files = artworks.designs(3)
    with embedded.serving(here) as server, frontend.shop(server) as shop, ThreadPoolExecutor(1) as pool:
        session = shop.start(files)
        path = f"/api/v1/sessions/{session}"

        def states() -> set[str]:
            return {item["state"] for item in shop.items(session)}

        with unmounted(here):
            uploading = pool.submit(shop.uploaded, files, session)
            eventually(lambda: waiting(here) and states() == {"accepted"})
            second = f"{path}/items/{shop.items(session)[1]['item_id']}"
            words = "Cancelled: 1 file; what is being written just now may still be stored."
            assert shop.client.post(f"{second}/cancel").json()["message"] == words
            assert len(shop.client.post(f"{second}/retry").json()["retried"]) == 1
            assert shop.client.post(f"{path}/cancel").json()["cancelled"]["files"] == 3
            assert uploading.result(60)["designs"] == []
            assert shop.get(session)["cancelled_at"] is not None
            eventually(lambda: failed_at_storage(here) == 3)
            assert len(shop.client.post(f"{path}/retry").json()["retried"]) == 3
            assert shop.get(session)["cancelled_at"] is None
        eventually(lambda: states() == {"stored"})
        assert {item["number"] for item in shop.items(session)} == {100, 101, 102}


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """The first mockup is made at once, every other one when this is set."""
    first, goes_on = threading.Lock(), threading.Event()

    def held_up(*args: Any) -> Any:
        if not first.acquire(blocking=False):
            assert goes_on.wait(60)
        return render(*args)

    monkeypatch.setattr("services.mockup.handlers.render", held_up)
    yield goes_on
    goes_on.set()


def test_who_waits_for_listings_that_are_cancelled_hears_how_many_there_are(here: Place, held: threading.Event) -> None:
    with embedded.serving(here) as server, frontend.shop(server) as shop, ThreadPoolExecutor(1) as pool:
        session = shop.start()
        ids = [design["id"] for design in shop.uploaded(artworks.designs(3), session)["designs"]]
        asking = pool.submit(shop.list_designs, ids)
        eventually(lambda: shop.get(session)["totals"]["listed"] == 1)
        assert shop.client.post(f"/api/v1/sessions/{session}/cancel").json()["cancelled"]["listings"] == 2
        told = asking.result(30)
        held.set()
        body = told.json()
        assert (told.status_code, body["success"], body["message"]) == (
            201, True, "1 listing created, 2 listings cancelled.",
        )  # fmt: skip
        assert body["listings"] == {"listed": 1, "failed": 0, "cancelled": 2, "in_progress": 0, "already_listed": 0}
        summary, *lines = body["result"]["message"].split("\n")
        assert summary == body["message"]
        assert sum(": not listed: cancelled by you on " in line for line in lines) == 2
        words = "Upload cancelled: 3 of 3 stored by then, 1 listed, 2 listings cancelled"
        assert shop.get(session)["message"] == words
        told = frontend.listen(server, f"/designs/progress/{session}", params={"token": shop.token}).result(30)
        assert told.data[-1]["message"] == words


@pytest.mark.parametrize("by", ["deleting", "changing"])
def test_a_design_that_is_deleted_while_its_listing_is_made_is_not_listed(
    here: Place, held: threading.Event, by: str
) -> None:
    with embedded.serving(here) as server, frontend.shop(server) as shop, ThreadPoolExecutor(1) as pool:
        session = shop.start()
        ids = [design["id"] for design in shop.uploaded(artworks.designs(3), session)["designs"]]
        asking = pool.submit(shop.list_designs, ids)
        eventually(lambda: shop.get(session)["totals"]["listed"] == 1)
        states = {item["item_id"]: item["listing_state"] for item in shop.items(session)}
        gone = next(each for each in ids if states[each] != "listed")
        unasked = "SELECT count(*) FROM ingest.outbox WHERE type = 'MockupsRequested' AND sent_at IS NULL"
        eventually(lambda: count(here, unasked) == 0)
        if by == "deleting":
            answer = shop.client.delete(f"/designs/delete/{gone}")
            late = "what is at the shop just now may still be listed"  # ingest hears of its mockups only afterwards
            assert answer.json()["message"].endswith(f"Cancelled: 1 listing; {late}.")
        else:
            answer = shop.client.put(f"/designs/update/{gone}", json={"is_active": False})
        assert answer.status_code == 200, answer.text
        untold = "SELECT count(*) FROM ingest.outbox WHERE lane = 'ahead' AND sent_at IS NULL"
        eventually(lambda: count(here, untold) == 0)
        held.set()
        told = asking.result(30).json()
        assert (told["listings"]["listed"], told["listings"]["cancelled"]) == (2, 1)
        assert ": not listed: its design was deleted: cancelled by you on " in told["result"]["message"]
        assert len(here.listed(shop.folder)) == 2
        assert shop.client.post(f"/api/v1/sessions/{session}/retry").status_code == 200
        assert shop.get(session)["state"] == "finished", "nothing of it is listed any more"


@pytest.mark.usefixtures("impatient")
def test_the_call_for_listings_of_a_cancelled_upload_is_no_success(here: Place) -> None:
    """The client goes on to ask for listings, without an id, whatever became of its upload."""
    files = artworks.designs(2)
    with embedded.serving(here) as server, frontend.shop(server) as shop, ThreadPoolExecutor(1) as pool:
        session = shop.start()
        with unmounted(here):
            uploading = pool.submit(shop.uploaded, files, session)
            eventually(lambda: shop.get(session)["totals"]["in_progress"] == 2)
            shop.client.post(f"/api/v1/sessions/{session}/cancel")
            assert uploading.result(30)["designs"] == []
        answer = shop.list_designs([])
        assert (answer.status_code, answer.json()["success"], answer.json()["success_code"]) == (201, False, 400)
        summary, *lines = answer.json()["result"]["message"].split("\n")
        assert summary == "The upload was cancelled, so no listings were created: 2 files cancelled."
        assert len(lines) == 2
