"""Sessions on a real PostgreSQL: submitted once, projected in any order, accounted for at every moment."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, func, select

from services.ingest.dead_letters.archive import failures
from services.ingest.retrying import retry
from services.ingest.sessions.actions import reviewing
from services.ingest.sessions.intake.grace_period import Unasked
from services.ingest.sessions.intake.print_files import Prints
from services.ingest.sessions.intake.submitting import SessionTaken
from services.ingest.sessions.lifecycle.records import Received, Session, Wanted
from services.ingest.sessions.lifecycle.session_transitions import Happening
from services.ingest.sessions.lifecycle.timeline import append_all
from services.ingest.sessions.outgoing.fairness import Windows
from services.ingest.sessions.outgoing.outbox import Owed, Redelivery, Relay, owe, owe_redelivery
from services.ingest.sessions.progress.workload import weight
from services.ingest.sessions.recovery.unfinished import Unfinished
from services.ingest.sessions.serving import views
from services.ingest.sessions.serving.store import Sessions
from services.ingest.sessions.tables import items, outbox
from shared.blobs import Blobs
from shared.bus.dead_letter import DeadLetter
from shared.bus.envelope import Envelope, seal
from shared.contracts import (
    BatchSubmitted,
    Blob,
    Destination,
    DuplicateFound,
    ImageFailed,
    ImageRejected,
    ListingTemplate,
    Match,
    Message,
    MockupsRequested,
    PrintSpec,
    Stage,
    StoreFile,
    UploadedFile,
)
from shared.database import transaction
from shared.errors import Unavailable
from shared.nas import PathNas
from tests.integration.uploads import (
    BLOB,
    LISTING,
    MOCKUP,
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
    rejected,
    relayed,
    requests,
    stored,
    submitted,
)


@pytest.fixture
def sessions(engine: Engine) -> Sessions:
    return Sessions(engine, hashers=8)


def test_files_messages_and_the_first_events_are_one_commit(engine: Engine, sessions: Sessions) -> None:
    session, files = submitted(sessions, *(f"{n}.png" for n in range(40)))
    with engine.connect() as connection:
        owed = connection.execute(select(outbox.c.data).where(outbox.c.session_id == session.id)).scalars().all()
    batches = [BatchSubmitted.model_validate(data) for data in owed]
    assert len(batches) == 8
    assert sorted(file.index for batch in batches for file in batch.files) == list(range(40))
    assert account(engine, sessions, session.id).totals.received == len(files) == 40


def test_the_same_upload_twice_is_one_upload(engine: Engine, sessions: Sessions) -> None:
    first = sessions.submit(USER, "key", choice(), received("a.png", "b.png"), "comprehensive")
    again = sessions.submit(USER, "key", choice(), received("a.png", "b.png"), "original")
    assert (first[1], again[1]) == (True, False)
    assert again[0].id == first[0].id
    assert again[0].lane == "comprehensive"
    with engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(items)).scalar_one() == 2


def test_the_same_upload_sent_at_once_is_one_upload(engine: Engine, sessions: Sessions) -> None:
    together = threading.Barrier(8)

    def send(_: int) -> tuple[Session, bool]:
        together.wait()
        return sessions.submit(USER, "key", choice(), received("a.png", "b.png"), "comprehensive")

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(send, range(8)))
    assert sum(did for _, did in answers) == 1
    assert len({session.id for session, _ in answers}) == 1
    with engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(items)).scalar_one() == 2


def test_a_key_that_is_used_for_other_files_is_refused(sessions: Sessions) -> None:
    sessions.submit(USER, "key", choice(), received("a.png"), "comprehensive")
    with pytest.raises(SessionTaken):
        sessions.submit(USER, "key", choice(), received("b.png"), "comprehensive")
    other = replace(choice(), description="another")
    with pytest.raises(SessionTaken):
        sessions.submit(USER, "key", other, received("a.png"), "comprehensive")


def test_an_upload_is_joined_though_its_product_was_changed_meanwhile(sessions: Sessions) -> None:
    first, _ = sessions.submit(USER, "key", choice(), received("a.png"), "comprehensive")
    wider = PrintSpec(width_inches=2.5, height_inches=1, canvas_width_inches=2.5, canvas_height_inches=1)
    now = replace(choice(), print_spec=wider, destination=Destination(shop="NorthCups", template="Tumbler"))
    joined, did = sessions.submit(USER, "key", now, received("a.png"), "comprehensive")
    assert (joined.id, did) == (first.id, False)
    from_500 = Destination(shop="NorthCups", template="Tumbler", starting_number=500)
    with pytest.raises(SessionTaken):
        sessions.submit(USER, "key", replace(now, destination=from_500), received("a.png"), "comprehensive")


def test_two_users_may_use_the_same_key(sessions: Sessions) -> None:
    mine, _ = sessions.submit(USER, "key", choice(), received("a.png"), "comprehensive")
    theirs, did = sessions.submit(uuid4(), "key", choice(), received("a.png"), "comprehensive")
    assert did
    assert mine.id != theirs.id
    assert sessions.get(theirs.user_id, mine.id) is None


@pytest.mark.parametrize("seed", range(6))
def test_repeated_and_shuffled_events_end_as_the_ordered_ones(engine: Engine, sessions: Sessions, seed: int) -> None:
    session, files = submitted(sessions, *(f"{n}.png" for n in range(8)))
    ways = [stored, stored, duplicate, rejected, failed, stored, duplicate, stored]
    events = [event for way, file in zip(ways, files, strict=True) for event in way(session, file)]
    shuffled = events * 2
    random.Random(seed).shuffle(shuffled)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda event: project(engine, event), shuffled))
    totals = account(engine, sessions, session.id).totals
    assert (totals.stored, totals.duplicate, totals.rejected, totals.failed) == (4, 2, 1, 1)
    assert totals.in_progress == 0


def test_a_session_without_designs_ends_by_itself(engine: Engine, sessions: Sessions) -> None:
    session, files = submitted(sessions, "a.png")
    project(engine, *rejected(session, files[0]))
    assert account(engine, sessions, session.id).finished


def percents_since(sessions: Sessions, session: Session) -> list[float]:
    """What was shown after this moment."""
    return [event.payload["percent"] for event in sessions.events(session, session.last_seq)]


def test_an_ended_session_whose_files_are_tried_again_begins_where_they_leave_it(
    engine: Engine, sessions: Sessions
) -> None:
    session, files = submitted(sessions, *(f"{n}.png" for n in range(8)))
    project(engine, *[event for file in files for event in failed(session, file)])
    ended = account(engine, sessions, session.id)
    assert ended.finished
    sessions.retry(session, "somebody", [file.item_id for file in files[:4]])
    left = round(99 * 0.6 * 4 / 8, 2)
    assert percents_since(sessions, ended) == [left] * 4, "three of four were not taken up again at the first event"
    project(engine, *stored(session, files[0], generation=1))
    shown = percents_since(sessions, ended)
    assert shown == sorted(shown)
    assert shown[-1] > left


def test_an_ended_session_that_is_asked_for_more_listings_begins_where_they_leave_it(
    engine: Engine, sessions: Sessions
) -> None:
    session, files = submitted(sessions, "a.png", "b.png", "c.png")
    project(engine, *[event for file in files for event in stored(session, file)])
    ask(sessions, files[0].item_id)
    project(engine, *listed(session, files[0]))
    ended = account(engine, sessions, session.id)
    assert ended.finished
    ask(sessions, *(file.item_id for file in files))
    assert percents_since(sessions, ended) == [round(99 * (0.6 + 0.4 / 3), 2)] * 2


def test_a_design_that_is_stored_after_all_leaves_the_end_as_it_is(engine: Engine, sessions: Sessions) -> None:
    session, files = submitted(sessions, "a.png", "b.png")
    project(engine, *stored(session, files[0]), *failed(session, files[1]))
    assert Unasked(engine, 0).finish() == 1
    ended = account(engine, sessions, session.id)
    project(engine, *stored(session, files[1]))
    now = account(engine, sessions, session.id)
    assert (now.state, now.percent, now.totals.stored) == ("finished", 100.0, 2)
    assert percents_since(sessions, ended) == [100.0]


def test_what_is_decided_anew_and_fails_in_one_go_ends_its_session_once_more(
    engine: Engine, sessions: Sessions
) -> None:
    session, (file,) = submitted(sessions, "a.png")
    project(engine, *duplicate(session, file))
    ended = account(engine, sessions, session.id)
    assert ended.finished
    both = [Happening("accepted", {"duplicate": -1, "accepted": 1}, file.item_id, weighs=weight(1000))]
    both += [Happening("failed", {"accepted": -1, "failed": 1}, file.item_id, weighs=weight(1000))]
    with transaction(engine) as connection:
        append_all(connection, session.id, both)
    found = sessions.events(session, ended.last_seq)
    assert [event.type for event in found] == ["accepted", "failed", "finished"]
    assert [event.payload["finished"] for event in found] == [False, False, True]
    shown = percents_since(sessions, ended)
    assert shown == sorted(shown)
    assert shown[-2] < 100 == shown[-1]


def test_asking_twice_lists_once(engine: Engine, sessions: Sessions) -> None:
    session, files = submitted(sessions, "a.png", "b.png")
    project(engine, *stored(session, files[0]), *stored(session, files[1]))
    designs = [file.item_id for file in files]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda _: ask(sessions, *designs), range(4))) == [designs] * 4
    assert [request.item_id for request in requests(engine)] == designs
    assert requests(engine)[0].design_name == "UV 0"
    assert account(engine, sessions, session.id).totals.requested == 2


def test_a_design_that_is_not_stored_yet_is_listed_when_it_is(engine: Engine, sessions: Sessions) -> None:
    session, (file,) = submitted(sessions, "a.png")
    ask(sessions, file.item_id)
    assert requests(engine) == []
    project(engine, *stored(session, file))
    (request,) = requests(engine)
    assert (request.item_id, request.mockup_id, request.shop) == (file.item_id, MOCKUP, "NorthCups")


def test_a_design_that_will_not_be_stored_fails_its_listing(engine: Engine, sessions: Sessions) -> None:
    session, files = submitted(sessions, "a.png", "b.png")
    ask(sessions, files[0].item_id)
    project(engine, *stored(session, files[1]), *duplicate(session, files[0]))
    ended = account(engine, sessions, session.id)
    assert ended.totals.listing_failed == 1
    assert ended.finished


def test_a_foreign_design_is_not_listed(engine: Engine, sessions: Sessions) -> None:
    session, (file,) = submitted(sessions, "a.png")
    project(engine, *stored(session, file))
    assert sessions.ask_listings(uuid4(), [file.item_id], Wanted("Other", LISTING, MOCKUP, ())) == []


def wanted(target: str | None, template: ListingTemplate = LISTING) -> Wanted:
    return Wanted("NorthCups", template, MOCKUP, (), target)


def ended_as_listed(engine: Engine, session: Session, file: UploadedFile, generation: int, target: str) -> None:
    rendered, published = (event.model_copy(update={"generation": generation}) for event in listed(session, file))
    project(engine, rendered, published.model_copy(update={"target": target, "listing_id": f"{target} {generation}"}))


def test_what_a_dry_run_listed_is_listed_in_the_shop_when_it_is_asked_for_again(
    engine: Engine, sessions: Sessions
) -> None:
    session, (file,) = submitted(sessions, "a.png")
    project(engine, *stored(session, file))
    sessions.ask_listings(USER, [file.item_id], wanted("dry-run"))
    ended_as_listed(engine, session, file, 0, "dry-run")
    for nowhere_else in ("dry-run", None):
        sessions.ask_listings(USER, [file.item_id], wanted(nowhere_else))
    assert [request.generation for request in requests(engine)] == [0]

    for _ in range(2):
        sessions.ask_listings(USER, [file.item_id], wanted("etsy:555"))
    assert [request.generation for request in requests(engine)] == [0, 1]
    totals = sessions.get(USER, session.id).totals  # type: ignore[union-attr]
    assert (totals.requested, totals.listed) == (1, 0)
    (row,) = sessions.listings_of(USER, [file.item_id], MOCKUP)
    assert (row["state"], row["target"], row["listing_id"]) == ("requested", None, None)

    ended_as_listed(engine, session, file, 1, "etsy:555")
    for here in ("etsy:555", "dry-run", None):
        sessions.ask_listings(USER, [file.item_id], wanted(here))
    assert [request.generation for request in requests(engine)] == [0, 1]
    assert sessions.get(USER, session.id).totals.listed == 1  # type: ignore[union-attr]
    sessions.ask_listings(USER, [file.item_id], wanted("etsy:556"))
    assert [request.generation for request in requests(engine)] == [0, 1, 2], "another shop was connected"


def test_a_listing_that_somebody_deleted_at_etsy_is_not_listed_by_late_news_of_it(
    engine: Engine, sessions: Sessions
) -> None:
    session, (file,) = submitted(sessions, "a.png")
    project(engine, *stored(session, file))
    sessions.ask_listings(USER, [file.item_id], wanted("etsy:555"))
    ended_as_listed(engine, session, file, 0, "etsy:555")
    sessions.gone(USER, ["etsy:555 0"])
    for _ in range(2):
        ended_as_listed(engine, session, file, 0, "etsy:555")
        (row,) = sessions.listings_of(USER, [file.item_id], MOCKUP)
        assert (row["state"], row["listing_id"]) == ("failed", None)
    assert sessions.get(USER, session.id).totals.listed == 0  # type: ignore[union-attr]

    sessions.ask_listings(USER, [file.item_id], wanted("etsy:555"))
    ended_as_listed(engine, session, file, 0, "etsy:555")
    asked = requests(engine)[-1].generation
    ended_as_listed(engine, session, file, asked, "etsy:555")
    (row,) = sessions.listings_of(USER, [file.item_id], MOCKUP)
    assert (row["state"], row["listing_id"]) == ("listed", f"etsy:555 {asked}")
    assert len({request.generation for request in requests(engine)}) == 2


def test_a_listing_of_before_shops_had_their_numbers_on_record_is_not_made_again(
    engine: Engine, sessions: Sessions
) -> None:
    session, (file,) = submitted(sessions, "a.png")
    project(engine, *stored(session, file))
    sessions.ask_listings(USER, [file.item_id], wanted("etsy:555"))
    ended_as_listed(engine, session, file, 0, "etsy")
    sessions.ask_listings(USER, [file.item_id], wanted("etsy:555"))
    assert [request.generation for request in requests(engine)] == [0]


def test_files_that_were_listed_in_a_dry_run_only_are_listed_when_they_are_sent_again(
    engine: Engine, sessions: Sessions
) -> None:
    session, (file,) = submitted(sessions, "a.png")
    project(engine, *stored(session, file))
    sessions.ask_listings(USER, [file.item_id], wanted("dry-run"))
    ended_as_listed(engine, session, file, 0, "dry-run")
    second, (again,) = submitted(sessions, "a.png")
    match = Match(source="database", filename="a.png", item_id=file.item_id)
    hashed, near = duplicate(second, again)
    project(engine, hashed, near.model_copy(update={"match": match, "kind": "identical"}))
    assert sessions.left_unlisted(USER, [], [second.id], wanted("dry-run")) == []
    assert sessions.left_unlisted(USER, [], [second.id], wanted("etsy:555")) == [file.item_id]
    sessions.ask_listings(USER, [file.item_id], wanted("etsy:555"))
    assert sessions.left_unlisted(USER, [], [second.id], wanted("etsy:555")) == [file.item_id], "a call is repeated"


def test_listings_that_lack_a_templates_later_changes_are_counted(engine: Engine, sessions: Sessions) -> None:
    session, files = submitted(sessions, "a.png", "b.png")
    project(engine, *stored(session, files[0]), *stored(session, files[1]))
    designs = [file.item_id for file in files]
    sessions.ask_listings(USER, designs[:1], wanted(None))
    dearer = wanted(None, LISTING.model_copy(update={"price": 5.0}))
    sessions.ask_listings(USER, designs, dearer)
    assert sessions.outdated(USER, designs, dearer) == 1
    assert sessions.outdated(USER, designs[1:], dearer) == 0
    assert sessions.outdated(uuid4(), designs, dearer) == 0


def test_the_end_comes_when_the_last_listing_has_its_end(engine: Engine, sessions: Sessions) -> None:
    session, files = submitted(sessions, "a.png", "b.png")
    project(engine, *stored(session, files[0]), *stored(session, files[1]))
    ask(sessions, *(file.item_id for file in files))
    project(engine, *listed(session, files[0]))
    assert not account(engine, sessions, session.id).finished
    project(engine, *listed(session, files[1]), *listed(session, files[1]))
    ended = account(engine, sessions, session.id)
    assert ended.finished
    assert [event.payload["finished"] for event in sessions.events(session, 0)].count(True) == 1


def test_a_dead_letter_of_a_service_fails_its_files_in_words(engine: Engine, sessions: Sessions) -> None:
    session, files = submitted(sessions, "a.png", "b.png")
    batch = BatchSubmitted(
        tenant_id=USER,
        session_id=session.id,
        batch=0,
        files=tuple(files),
        print_spec=choice().print_spec,
        destination=choice().destination,
    )
    events = list(failures(batch, "hasher", "MemoryError"))
    assert [event.filename for event in events] == ["a.png", "b.png"]
    project(engine, *events)
    ended = account(engine, sessions, session.id)
    assert ended.totals.failed == 2
    assert ended.finished
    assert "MemoryError" in sessions.items(session)[0]["reason"]


def test_a_batch_that_was_given_up_is_tried_again_file_by_file(engine: Engine, sessions: Sessions) -> None:
    session, files = submitted(sessions, "a.png", "bomb.png", "c.png")
    batch = BatchSubmitted(
        tenant_id=USER,
        session_id=session.id,
        batch=0,
        files=tuple(files),
        print_spec=choice().print_spec,
        destination=choice().destination,
    )
    alone = project(engine, dead(batch, "hasher"))
    assert [[file.filename for file in single.files] for single in alone] == [["a.png"], ["bomb.png"], ["c.png"]]
    (failure,) = project(engine, dead(alone[1], "hasher"))
    assert isinstance(failure, ImageFailed)
    assert failure.filename == "bomb.png"
    assert sessions.get(USER, session.id).totals.in_progress == 3  # type: ignore[union-attr]


def dead(message: Message, service: Stage) -> DeadLetter:
    body = seal(Envelope(uuid4(), message, "ingest", str(uuid4())))
    return DeadLetter.of(service, body, {"x-cause": "out of memory"})


def test_a_dead_letter_about_one_mockup_group_leaves_the_others(engine: Engine, sessions: Sessions) -> None:
    session, (file,) = submitted(sessions, "a.png")
    project(engine, *stored(session, file))
    ask(sessions, file.item_id)
    other = uuid4()
    sessions.ask_listings(USER, [file.item_id], Wanted("NorthCups", LISTING, other, ()))
    rendered, published = listed(session, file)
    project(engine, *project(engine, dead(rendered, "publisher")))
    totals = account(engine, sessions, session.id).totals
    assert (totals.requested, totals.listing_failed) == (2, 1)
    project(engine, published)  # it had reached the shop after all
    totals = account(engine, sessions, session.id).totals
    assert (totals.listed, totals.listing_failed) == (1, 0)


@pytest.mark.parametrize("place", [0, 1], ids=["rendered", "published"])
def test_the_end_of_a_listing_that_ingest_could_not_write_down_ends_the_session_in_words(
    engine: Engine, sessions: Sessions, place: int
) -> None:
    session, (file,) = submitted(sessions, "a.png")
    project(engine, *stored(session, file))
    ask(sessions, file.item_id)
    lost = listed(session, file)[place]
    project(engine, *listed(session, file)[:place], *project(engine, dead(lost, "ingest")))
    ended = account(engine, sessions, session.id)
    assert ended.finished
    assert (ended.totals.stored, ended.totals.listing_failed) == (1, 1)


def test_a_failure_that_ingest_could_not_write_down_is_told_once_more_and_not_for_ever(
    engine: Engine, sessions: Sessions
) -> None:
    session, (file,) = submitted(sessions, "a.png")
    said = ImageFailed(**about(session, file), failed_stage="hasher", reason="no")
    (again,) = project(engine, dead(said, "ingest"))
    assert isinstance(again, ImageFailed)
    assert project(engine, dead(again, "ingest")) == []
    project(engine, again)
    assert account(engine, sessions, session.id).finished


def test_what_a_stored_design_loses_does_not_fail_it(engine: Engine, sessions: Sessions) -> None:
    session, (file,) = submitted(sessions, "a.png")
    rendered, _ = listed(session, file)
    assert list(failures(rendered, "storage", "no room for the copy")) == []
    (failure,) = failures(rendered, "publisher", "refused")
    project(engine, *stored(session, file))
    ask(sessions, file.item_id)
    project(engine, failure)
    totals = account(engine, sessions, session.id).totals
    assert (totals.stored, totals.failed, totals.listing_failed) == (1, 0, 1)


def test_an_item_tried_anew_leaves_its_end_state_and_the_session_its_end(engine: Engine, sessions: Sessions) -> None:
    session, files = submitted(sessions, "a.png", "b.png")
    project(engine, *failed(session, files[0]), *duplicate(session, files[1]))
    assert account(engine, sessions, session.id).finished
    with_new_generation = stored(session, files[1], generation=1)
    project(engine, with_new_generation[1])
    again = sessions.get(USER, session.id)
    assert again is not None
    assert not again.finished
    assert again.totals.in_progress == 1
    project(engine, with_new_generation[2])
    now = sessions.get(USER, session.id)
    assert now is not None
    assert (now.totals.stored, now.totals.duplicate, now.totals.failed) == (1, 0, 1)
    shown = views.item(sessions.items(session)[1])
    assert (shown["state"], shown["kind"], shown["match"]) == ("stored", None, None), "it is no duplicate any more"


def test_a_design_that_was_stored_after_it_was_given_up_is_stored(engine: Engine, sessions: Sessions) -> None:
    session, (file,) = submitted(sessions, "a.png")
    late = stored(session, file)
    project(engine, *failed(session, file), late[2])
    now = sessions.get(USER, session.id)
    assert now is not None
    assert (now.totals.stored, now.totals.failed) == (1, 0)


def test_a_late_correction_of_a_listed_session_does_not_end_it_twice(engine: Engine, sessions: Sessions) -> None:
    session, files = submitted(sessions, "a.png", "b.png")
    project(engine, *stored(session, files[0]), *failed(session, files[1]))
    ask(sessions, files[0].item_id)
    project(engine, *listed(session, files[0]))
    assert account(engine, sessions, session.id).finished
    project(engine, stored(session, files[1])[2])
    assert account(engine, sessions, session.id).finished
    ends = [event for event in sessions.events(session, 0) if event.type == "finished"]
    assert len(ends) == 1


def test_the_relay_sends_each_message_once_and_stops_where_the_broker_does(engine: Engine, sessions: Sessions) -> None:
    submitted(sessions, "a.png", "b.png", "c.png")
    sent: list[Envelope] = []

    def breaks_after_one(envelope: Envelope) -> None:
        if len(sent) == 1:
            raise Unavailable("the broker went away")
        sent.append(envelope)

    relay = Relay(engine, "comprehensive")
    with pytest.raises(Unavailable):
        relay.send(breaks_after_one)
    assert relay.send(sent.append) == 2
    assert relay.send(sent.append) == 0
    assert len({envelope.id for envelope in sent}) == 3


def test_a_transaction_that_takes_long_to_send_ends_and_the_next_one_goes_on(
    engine: Engine, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    submitted(sessions, "a.png", "b.png")
    monkeypatch.setattr("services.ingest.sessions.outgoing.outbox.LONGEST_S", 0)
    sent: list[Owed] = []
    relay = Relay(engine, "comprehensive")
    assert [relay.send(sent.append) for _ in range(3)] == [1, 1, 0]
    assert len({owed.id for owed in sent}) == 2


def test_two_relays_share_the_work(engine: Engine, sessions: Sessions) -> None:
    submitted(sessions, *(f"{n}.png" for n in range(40)))
    sent: list[UUID] = []
    together = threading.Barrier(2)

    def send(_: int) -> None:
        together.wait()
        Relay(engine, "comprehensive").send(lambda envelope: sent.append(envelope.id))

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(send, range(2)))
    assert len(sent) == len(set(sent)) == 8


def test_an_unfinished_session_can_be_taken_up_from_its_rows(engine: Engine, sessions: Sessions) -> None:
    session, files = submitted(sessions, "a.png", "b.png", "c.png", lane="original")
    project(engine, *stored(session, files[0]), *rejected(session, files[1]))
    ask(sessions, files[0].item_id)
    unfinished = Unfinished(engine, hashers=8)
    assert unfinished.sessions("original") == [session.id]
    assert unfinished.sessions("comprehensive") == []
    *batches, request = (envelope.message for envelope in unfinished.messages(session.id))
    files_again = [file.filename for batch in batches for file in batch.files]  # type: ignore[attr-defined]
    # the rejected one too: storage waits for a word about every file before it gives out numbers
    # the stored one too: the message that stored it may have stored others, and their answers may be lost
    assert files_again == ["a.png", "b.png", "c.png"]
    assert isinstance(request, MockupsRequested)
    assert request.item_id == files[0].item_id


def test_a_file_that_was_refused_on_receipt_is_rejected_in_words(engine: Engine, sessions: Sessions) -> None:
    too_large = Received("huge.png", Blob(sha256="9" * 64, size=10**10), refused="huge.png: too large")
    session, _ = sessions.submit(USER, "key", choice(), [too_large, *received("a.png")], "comprehensive")
    with engine.connect() as connection:
        owed = connection.execute(select(outbox.c.type, outbox.c.data)).all()
    (rejection,) = (ImageRejected.model_validate(row.data) for row in owed if row.type == "ImageRejected")
    (batch,) = (BatchSubmitted.model_validate(row.data) for row in owed if row.type == "BatchSubmitted")
    assert [file.filename for file in batch.files] == ["a.png"]
    project(engine, rejection)
    assert sessions.items(session)[0]["reason"] == "huge.png: too large"


def test_a_session_that_kills_every_worker_is_given_up_and_one_that_advances_is_not(
    engine: Engine, sessions: Sessions
) -> None:
    session, files = submitted(sessions, "a.png", "bomb.png", lane="original")
    unfinished = Unfinished(engine, hashers=8)
    for _ in range(3):
        assert any(isinstance(envelope.message, BatchSubmitted) for envelope in unfinished.take_up(session.id))
    project(engine, *stored(session, files[0]))  # progress: the count begins anew
    for _ in range(3):
        assert any(isinstance(envelope.message, BatchSubmitted) for envelope in unfinished.take_up(session.id))
    (failure,) = (envelope.message for envelope in unfinished.take_up(session.id))
    assert isinstance(failure, ImageFailed)
    assert failure.filename == "bomb.png"
    project(engine, failure)
    totals = account(engine, sessions, session.id).totals
    assert (totals.stored, totals.failed) == (1, 1)


def test_a_message_that_this_release_can_not_read_does_not_hold_up_the_rest(engine: Engine, sessions: Sessions) -> None:
    submitted(sessions, "a.png")
    with engine.begin() as connection:
        connection.execute(
            outbox.insert().values(id=uuid4(), lane="comprehensive", type="OfTomorrow", data={}, created_at=func.now())
        )
    submitted(sessions, "b.png")
    assert [type(envelope.message) for envelope in relayed(engine)] == [BatchSubmitted, BatchSubmitted]
    with engine.connect() as connection:
        told = connection.execute(select(outbox.c.last_error).where(outbox.c.type == "OfTomorrow")).scalar_one()
    assert "unreadable" in told
    assert unsent(engine) == ["OfTomorrow"], "a release that can read it sends it"


def unsent(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.execute(select(outbox.c.type).where(outbox.c.sent_at.is_(None))).scalars())


def of_tomorrow(engine: Engine, lane: str, kind: str, rows: int) -> None:
    with engine.begin() as connection:
        anything = {"lane": lane, "type": kind, "data": {}}
        connection.execute(outbox.insert(), [{"id": uuid4(), "tenant_id": USER, **anything} for _ in range(rows)])


@pytest.mark.parametrize("kind", ["OfTomorrow", "BatchSubmitted", "Redelivery"])
def test_however_much_can_not_be_read_the_rest_is_sent(engine: Engine, sessions: Sessions, kind: str) -> None:
    of_tomorrow(engine, "comprehensive", kind, 150)
    submitted(sessions, "a.png")
    relay, sent = Relay(engine, "comprehensive", Windows(batches=1, listings=1, files=10)), list[Envelope]()
    for _ in range(200):
        relay.send(sent.append)
        if sent:
            break
    assert [type(envelope.message) for envelope in sent] == [BatchSubmitted]


def test_who_marks_later_is_not_held_up_by_what_can_not_be_read(engine: Engine, sessions: Sessions) -> None:
    of_tomorrow(engine, "ahead", "OfTomorrow", 1)
    session, _ = submitted(sessions, "a.png")
    sessions.cancel(USER, session.id, None)
    relay = Relay(engine, "ahead")
    assert [type(owed) for owed in relay.unsent()] == [Envelope]


def test_what_was_confirmed_stays_so_whatever_befalls_the_next(engine: Engine, sessions: Sessions) -> None:
    submitted(sessions, "a.png", "b.png", "c.png")
    sent: list[Envelope] = []

    def breaks_after_two(envelope: Envelope) -> None:
        if len(sent) == 2:
            raise LookupError("a fault of ours")
        sent.append(envelope)

    with pytest.raises(LookupError):
        Relay(engine, "comprehensive").send(breaks_after_two)
    assert len(unsent(engine)) == 1


def test_a_kind_whose_queue_is_full_holds_up_no_other(engine: Engine, sessions: Sessions) -> None:
    with engine.begin() as connection:
        for _ in range(60):
            owe(connection, "comprehensive", command())
            owe_redelivery(connection, "comprehensive", "storage", b"x", {}, uuid4())
        owe_redelivery(connection, "comprehensive", "dedup", b"x", {}, uuid4())
    sessions.submit(USER, str(uuid4()), choice(), [replace(received("a.png")[0], refused="too large")], "comprehensive")
    sent: list[str] = []

    def publish(owed: Owed) -> None:
        name = owed.service if isinstance(owed, Redelivery) else type(owed.message).__name__
        if name in {"StoreFile", "storage"}:
            raise Unavailable("storage's queue is full")
        sent.append(name)

    with pytest.raises(Unavailable):
        Relay(engine, "comprehensive").send(publish)
    assert sorted(sent) == ["ImageRejected", "dedup"]


def command() -> StoreFile:
    return StoreFile(tenant_id=USER, shop="NorthCups", path="a.png", content=BLOB)


def test_a_duplicate_names_the_file_that_its_original_was_stored_as_after_the_verdict(
    engine: Engine, sessions: Sessions
) -> None:
    session, (large, small) = submitted(sessions, "large.png", "small.png")
    project(engine, *stored(session, large)[:2], copy_of(large, session, small))
    words = "the same picture as large.png in this upload"
    (before,) = (views.item(row) for row in sessions.items(session, offset=1))
    assert (before["reason"], before["match"]["path"]) == (words, None)
    project(engine, *stored(session, large)[2:])
    for rows in (sessions.items(session), sessions.receipt(session)[1]):
        told = [views.item(row) for row in rows]
        assert (told[0]["reason"], told[0]["state"]) == (None, "stored")
        now = "the same picture as large.png (UV 0) in this upload"
        assert (told[1]["reason"], told[1]["match"]["path"]) == (now, "s/0")


def test_an_upload_that_was_in_work_at_the_verdict_is_an_earlier_one_once_it_is_stored(
    engine: Engine, sessions: Sessions
) -> None:
    one, (large,) = submitted(sessions, "large.png")
    other, (small, flipped) = submitted(sessions, "small.png", "flipped.png")
    where = "large.png in another upload that is still in work"
    match = Match(source="session", item_id=large.item_id, filename=large.filename, verdict="near_copy")
    words = {"kind": "near", "distance": 2, "match": match, "reason": f"the same picture as {where}"}
    like = match.model_copy(update={"verdict": "mirrored", "reason": f"mirrored {where}"})
    hashed, accepted, *rest = stored(other, flipped)
    project(engine, *stored(one, large)[:2], DuplicateFound(**about(other, small), **words))
    project(engine, hashed, accepted.model_copy(update={"resembles": like}), *rest)
    assert told(engine, sessions, other) == [f"the same picture as {where}"] * 2 + [f"mirrored {where}"]
    project(engine, *stored(one, large)[2:])
    where = "large.png (UV 0) from an earlier upload"
    assert told(engine, sessions, other) == [f"the same picture as {where}"] * 2 + [f"mirrored {where}"]


def told(engine: Engine, sessions: Sessions, session: Session) -> list[str]:
    """Why the first file is a duplicate, in its upload and to whoever reviews it; and what the second resembles."""
    copy, design = (views.item(row) for row in sessions.items(session))
    with engine.connect() as connection:
        (pair,) = reviewing.shown(connection, reviewing.pairs(connection, session.id, "all")[0], None)
    assert pair["match"]["path"] == copy["match"]["path"] == design["resembles"]["path"]
    return [copy["reason"], pair["reason"], design["resembles"]["reason"]]


def test_what_a_design_resembles_may_have_no_reason(engine: Engine, sessions: Sessions) -> None:
    """As early releases told it; the field is still optional."""
    session, (large, flipped) = submitted(sessions, "large.png", "flipped.png")
    like = Match(source="session", item_id=large.item_id, filename=large.filename, verdict="mirrored")
    hashed, accepted, *rest = stored(session, flipped)
    project(engine, *stored(session, large), hashed, accepted.model_copy(update={"resembles": like}), *rest)
    resembles = views.item(sessions.items(session, offset=1)[0])["resembles"]
    assert (resembles["path"], resembles["reason"]) == ("s/0", None)


def test_what_was_stored_at_the_verdict_is_named_once(engine: Engine, sessions: Sessions) -> None:
    """Dedup has said so itself."""
    session, (large, small) = submitted(sessions, "large.png", "small.png")
    match = Match(source="session", item_id=large.item_id, filename="large.png", path="s/0")
    words = "the same picture as large.png (UV 0) in this upload"
    found = DuplicateFound(**about(session, small), kind="near", distance=2, match=match, reason=words)
    project(engine, *stored(session, large), found)
    assert sessions.items(session)[1]["reason"] == words


def test_who_tries_a_copy_again_hears_that_its_original_is_not_stored_yet(
    engine: Engine, sessions: Sessions, tmp_path: Path
) -> None:
    session, (large, small) = submitted(sessions, "large.png", "small.png")
    project(engine, *stored(session, large)[:2], copy_of(large, session, small))
    prints = Prints(engine, Blobs(tmp_path), PathNas(tmp_path))

    def told() -> str:
        return retry(sessions, prints, session, "ana", [sessions.items(session)[1]]).words

    assert (
        told() == "small.png is a copy of large.png, which is not stored yet; it is taken up by itself if that fails."
    )
    project(engine, *stored(session, large)[2:])
    assert told() == (
        "small.png has not failed (duplicate), and trying again would end the same: the same picture as large.png "
        "(UV 0) in this upload"
    )
