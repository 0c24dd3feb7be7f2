"""Presswork's own API: the accounting holds at every moment, events have no gap, and sessions are private."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from tests.integration.ingest import artworks, frontend
from tests.integration.ingest.artworks import File
from tests.integration.ingest.frontend import Shop, Stream

END_STATES = ("stored", "duplicate", "rejected", "failed")
ITEM_STATES = {"received", "hashed", "accepted", *END_STATES}


def mixed() -> list[File]:
    """Nine designs, a copy of one of them, and two files that are none."""
    first, *others = artworks.fresh(9)
    return [first, *others[:7], ("copy.png", first[1]), ("bad.png", b"no picture"), ("empty.png", b""), others[7]]


def balanced(totals: dict[str, int]) -> bool:
    """The two identities of the accounting."""
    files = sum(totals[state] for state in (*END_STATES, "in_progress"))
    listings = totals["listed"] + totals["listing_failed"] + totals["listings_in_progress"]
    return files == totals["received"] and listings == totals["listings_requested"]


def polled(shop: Shop, session: str, work: "Future[Any]") -> Iterator[dict[str, Any]]:
    """The receipt, again and again while the work goes on, and once afterwards."""
    while not work.done():
        yield shop.get(session, "/receipt")
    yield shop.get(session, "/receipt")


def whole(shop: Shop, session: str) -> dict[str, Any]:
    """Upload everything and list it; return the session."""
    ids = [design["id"] for design in shop.uploaded(mixed(), session)["designs"]]
    shop.have_listed(ids)
    return shop.get(session)


def test_the_receipt_adds_up_at_every_moment(user: Shop) -> None:
    session = user.start()
    with ThreadPoolExecutor(1) as pool:
        receipts = list(polled(user, session, pool.submit(whole, user, session)))
    for receipt in receipts:
        assert balanced(receipt)
        states = Counter(item["state"] for item in receipt["items"])
        assert set(states) <= ITEM_STATES
        assert {state: states[state] for state in END_STATES} == {state: receipt[state] for state in END_STATES}, (
            "what the receipt counts is what it lists"
        )
        assert len(receipt["items"]) == receipt["received"]
        listings = Counter(item["listing_state"] for item in receipt["items"])
        assert listings["listed"] == receipt["listed"]
        for item in receipt["items"]:
            assert item["reason"] or item["state"] not in ("duplicate", "rejected", "failed")
    assert len({receipt["in_progress"] for receipt in receipts}) > 2, "it was asked while the work went on"
    last = receipts[-1]
    assert (last["received"], last["stored"], last["duplicate"], last["rejected"]) == (12, 9, 1, 2)
    assert (last["listings_requested"], last["listed"], last["state"]) == (9, 9, "finished")


def test_events_have_no_gap_and_each_adds_up(user: Shop) -> None:
    session = user.start()
    found = whole(user, session)
    events = user.get(session, "/events")["events"]
    assert [event["seq"] for event in events] == list(range(1, found["last_seq"] + 1))
    assert [events[0]["type"], events[1]["type"], events[-1]["type"]] == ["announced", "submitted", "finished"]
    percents = [event["percent"] for event in events]
    assert percents == sorted(percents)
    assert percents[-1] == 100
    for event in events:
        totals = event["totals"]
        states = sum(totals[state] for state in ("hashed", "accepted", *END_STATES))
        assert 0 <= states <= totals["received"]
    told = Counter(event["type"] for event in events)
    assert (told["stored"], told["duplicate"], told["rejected"], told["listed"]) == (9, 1, 2, 9)
    for item in user.items(session):
        of_item = [event["type"] for event in events if event["item_id"] == item["item_id"]]
        assert of_item.count(item["state"]) == 1
    paged = [event for start in range(0, len(events), 7) for event in page(user, session, start, 7)]
    assert paged == events


def page(shop: Shop, session: str, after: int, limit: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = shop.get(session, f"/events?after={after}&limit={limit}")["events"]
    return found


def ids(stream: Stream) -> list[int]:
    lines = (line for _, block in stream.blocks for line in block.split("\n"))
    return [int(line.removeprefix("id: ")) for line in lines if line.startswith("id: ")]


def follow(shop: Shop, session: str, **kwargs: Any) -> "Future[Stream]":
    headers = {"Authorization": f"Bearer {shop.token}", **kwargs.pop("headers", {})}
    return frontend.listen(shop.server, f"/api/v1/sessions/{session}/events/stream", headers=headers, **kwargs)


def test_the_live_stream_gives_every_event_once_and_ends(user: Shop) -> None:
    session = user.start()
    stream = follow(user, session)
    found = whole(user, session)
    seen = stream.result(30)
    assert seen.headers["content-type"].split(";")[0] == "text/event-stream"
    assert ids(seen) == list(range(1, found["last_seq"] + 1))
    assert seen.data == user.get(session, "/events")["events"]
    types = [line for _, block in seen.blocks for line in block.split("\n") if line.startswith("event: ")]
    assert types == [f"event: {event['type']}" for event in seen.data]


def test_a_stream_that_broke_off_is_resumed_exactly(user: Shop) -> None:
    session = user.start()
    broken = follow(user, session, until=lambda block: "id: 4\n" in f"{block}\n")
    found = whole(user, session)
    last = ids(broken.result(30))[-1]
    assert last < found["last_seq"]
    for resumed in (
        follow(user, session, headers={"Last-Event-ID": str(last)}),
        follow(user, session, params={"after": last}),
    ):
        assert ids(resumed.result(30)) == list(range(last + 1, found["last_seq"] + 1))
    for nonsense in ("", "none", "-1", "1.5"):
        assert ids(follow(user, session, headers={"Last-Event-ID": nonsense}).result(30))[0] == 1
    for beyond in (str(found["last_seq"]), "9" * 30):
        assert ids(follow(user, session, headers={"Last-Event-ID": beyond}).result(30)) == []


def paths(shop: Shop) -> list[str]:
    """Every path about one session."""
    known = shop.client.get("/openapi.json").json()["paths"]
    return [path for path in known if path.startswith("/api/v1/sessions/{session_id}")]


def test_anothers_session_does_not_exist(user: Shop, stranger: Shop) -> None:
    session = user.start()
    user.uploaded(artworks.fresh(1), session)
    own_id = user.get(session)["session_id"]
    item = user.items(session)[0]["item_id"]
    assert len(paths(user)) >= 5
    for path in paths(user):
        for name in (session, own_id):
            filled = path.replace("{session_id}", name).replace("{item_id}", item)
            theirs, unknown = stranger.client.get(filled), stranger.client.get(filled.replace(name, "unknown"))
            assert (theirs.status_code, unknown.status_code) in ((404, 404), (405, 405)), path
            assert theirs.text.replace(name, "unknown") == unknown.text, "nothing tells the two apart"
    with user.server.client() as nobody:
        for path in paths(user):
            assert nobody.get(path.replace("{session_id}", session)).status_code in (401, 405)
    assert stranger.client.get("/api/v1/sessions").json() == {"sessions": []}


@pytest.mark.parametrize(
    "query",
    ["events?after=-1", "events?after=x", "events?limit=0", "events?after=99999999999999999999", "items?limit=5001",
     "items?offset=99999999999999999999", "events/stream?after=99999999999999999999"],
)  # fmt: skip
def test_limits_that_make_no_sense_are_refused(user: Shop, query: str) -> None:
    answer = user.client.get(f"/api/v1/sessions/{user.start()}/{query}")
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"][0] == "query"


@pytest.mark.parametrize("name", ["%00", "x" * 5000, "no%20uuid", "%F0%9F%8D%B5", "'"])
def test_a_session_that_can_not_be_is_not_found(user: Shop, name: str) -> None:
    assert user.client.get(f"/api/v1/sessions/{name}").status_code == 404


def test_sessions_are_listed_newest_first_under_both_their_ids(shop: Shop) -> None:
    keys = [shop.start(), "a key of my own", shop.start()]
    for number, key in enumerate(keys):
        shop.uploaded([(f"{number}.png", b"no picture %d" % number)], key)
    found = shop.client.get("/api/v1/sessions").json()["sessions"]
    assert {session["client_key"] for session in found} == set(keys)
    assert found[0]["announced_at"] >= found[1]["announced_at"] >= found[2]["announced_at"]
    for session in found:
        assert shop.get(session["session_id"]) == shop.get(session["client_key"]) == session
    limited = shop.client.get("/api/v1/sessions", params={"limit": 1, "offset": 1}).json()["sessions"]
    assert limited == found[1:2]


def test_the_documentation_page_can_log_in_and_upload(shop: Shop) -> None:
    described = shop.client.get("/openapi.json").json()
    (scheme,) = described["components"]["securitySchemes"].values()
    assert scheme["flows"]["password"]["tokenUrl"] == "auth/token"
    assert described["paths"]["/api/v1/sessions"]["get"]["security"]
    form = described["paths"]["/designs/"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert form["required"] == ["files", "design_data"]
    for path, call in [(path, call) for path, calls in described["paths"].items() for call in calls.values()]:
        assert call["summary"] != call["summary"].title(), f"{path}: not what it does, but its function's name"
        assert call.get("tags"), f"{path} stands under a heading"
    assert "product_template_id, mockup_id; and" in form["properties"]["design_data"]["description"]
