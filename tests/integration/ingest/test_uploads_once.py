"""The same call again is the same work: contract 0.4 and 0.5, and rows 15, 18 and 21 of its section 6."""

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import jwt
import pytest
from sqlalchemy import create_engine, update

from services.ingest.sessions.serving.outcome_text import TRIED, changed_since
from services.ingest.sessions.serving.store import Sessions
from services.ingest.sessions.tables import sessions
from tests.integration.ingest import artworks
from tests.integration.ingest.artworks import File, print_names
from tests.integration.ingest.embedded import Threaded
from tests.integration.ingest.frontend import Shop, another_group, parts, wire
from tests.waiting import eventually


def at_once(number: int, call: Callable[[], httpx.Response]) -> list[httpx.Response]:
    """Make a call from so many threads that begin together."""
    start = threading.Barrier(number)

    def one(_: int) -> httpx.Response:
        start.wait(10)
        return call()

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(one, range(number)))


def ids(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 201, answer.text
    return [design["id"] for design in answer.json()["designs"]]


def prints(shop: Shop) -> list[str]:
    return shop.server.place.designs(shop.folder)


def test_an_upload_that_is_sent_again_gets_the_first_answer_again(shop: Shop) -> None:
    files = [*artworks.designs(3), ("bad.png", b"no picture")]
    session = shop.start(files)
    first, second = shop.upload(files, session), shop.upload(files, session)
    assert len(ids(first)) == 3
    assert first.json() == second.json()
    assert prints(shop) == print_names(100, 101, 102)
    assert shop.get(session)["totals"]["received"] == 4


def test_an_upload_is_sent_again_though_its_choices_were_deleted_in_another_tab(shop: Shop) -> None:
    """The client sends it again by itself after a broken line, and goes on to its listings with what that answers."""
    files = artworks.designs(2)
    session = shop.start(files)
    first = shop.upload(files, session)
    of_product = f"/settings/{shop.product}"
    for gone in (
        f"{of_product}/{shop.canvas}/size-config/{shop.size}",
        f"{of_product}/canvas-config/{shop.canvas}",
        f"/mockups/delete/{shop.mockup}",
        f"/settings/product-template/{shop.product}",
    ):
        assert shop.client.delete(gone).status_code == 200
        again = shop.upload(files, session)
        assert again.status_code == 201, again.text
        assert again.json() == first.json()
    assert shop.upload(files, session, size_config_id=None).status_code == 409, "it is for the same choices only"
    assert shop.upload(files, shop.start(files)).status_code == 404, "and for the same upload only"


def test_eight_equal_uploads_at_once_are_one(shop: Shop) -> None:
    files = artworks.designs(4)
    session = shop.start(files)
    answers = at_once(8, lambda: shop.upload(files, session))
    assert len({tuple(ids(answer)) for answer in answers}) == 1
    assert len(ids(answers[0])) == 4
    assert prints(shop) == print_names(100, 101, 102, 103)


def test_eight_equal_uploads_under_a_session_that_was_never_announced_are_one(shop: Shop) -> None:
    answers = at_once(8, lambda: shop.upload(artworks.designs(2), "a key of the client's own"))
    assert len({tuple(ids(answer)) for answer in answers}) == 1
    assert prints(shop) == print_names(100, 101)
    assert len(shop.client.get("/api/v1/sessions").json()["sessions"]) == 1


def test_the_same_files_in_two_sessions_at_once_are_stored_once(shop: Shop) -> None:
    files, sessions = artworks.designs(3), iter([shop.start(), shop.start()])
    answers = at_once(2, lambda: shop.upload(files, next(sessions)))
    bodies = [answer.json() for answer in answers]
    assert sum(body["total"] for body in bodies) == 3
    assert {found["state"] for body in bodies for found in body["skipped"]} == {"duplicate"}
    assert prints(shop) == print_names(100, 101, 102)


def test_a_session_id_is_not_used_for_something_else(shop: Shop) -> None:
    session, files = shop.start(), artworks.designs(2)
    before = ids(shop.upload(files, session))
    others: list[tuple[list[File], dict[str, Any]]] = [
        (artworks.designs(2, first=8), {}),
        (files[:1], {}),
        (artworks.designs(3), {}),
        (files[::-1], {}),
        ([("renamed.png", files[0][1]), files[1]], {}),
        (files, {"starting_name": 500}),
        (files, {"description": "another"}),
    ]
    for other, changes in others:
        answer = shop.upload(other, session, **changes)
        assert answer.status_code == 409
        assert answer.json()["detail"].startswith("This session_id was used for another upload")
    assert ids(shop.upload(files, session)) == before
    assert shop.get(session)["totals"]["received"] == 2
    assert prints(shop) == print_names(100, 101)


def test_two_users_may_use_the_same_session_id(shop: Shop, stranger: Shop) -> None:
    ours, theirs = ids(shop.upload(artworks.designs(1), "mine")), ids(stranger.upload(artworks.designs(1), "mine"))
    assert len({*ours, *theirs}) == 2
    assert shop.get("mine")["session_id"] != stranger.get("mine")["session_id"]


def test_listings_asked_for_six_times_at_once_exist_once(shop: Shop) -> None:
    wanted = ids(shop.upload(artworks.designs(2), shop.start()))
    answers = at_once(6, lambda: shop.list_designs(wanted))
    assert {answer.status_code for answer in answers} == {201}
    assert f"2 listings created.\n{TRIED}" in {answer.json()["result"]["message"] for answer in answers}
    again = shop.list_designs([*wanted, *wanted]).json()
    assert again["message"] == "2 listed already."
    assert again["listings"] == {"listed": 2, "failed": 0, "cancelled": 0, "in_progress": 0, "already_listed": 2}
    assert [name.split(" [")[0] for name in shop.server.place.listed(shop.folder)] == [
        "UV 100 UVDTF_16oz_100",
        "UV 101 UVDTF_16oz_101",
    ]


def test_listings_are_asked_for_again_though_their_mockup_was_deleted_in_another_tab(shop: Shop) -> None:
    wanted = ids(shop.upload(artworks.designs(2), shop.start()))
    assert shop.list_designs(wanted).json()["listings"]["listed"] == 2
    (image,) = shop.client.get(f"/mockups/by-id/{shop.mockup}").json()["mockup_images"]
    for gone in (f"/mockups/images/{image['id']}", f"/mockups/delete/{shop.mockup}"):
        assert shop.client.delete(gone).status_code == 200
        again = shop.list_designs(wanted)
        assert again.status_code == 201, again.text
        assert again.json()["message"] == "2 listed already."
    assert len(shop.server.place.listed(shop.folder)) == 2
    more = ids(shop.upload(artworks.designs(1, first=5), mockup_id=another_group(shop, "Another")))
    for others in (more, [*wanted, *more], []):
        assert shop.list_designs(others).status_code == 404, "nothing else is listed with it"


@pytest.mark.parametrize("gone", ["/mockups/delete/{0.mockup}", "/settings/product-template/{0.product}"])
def test_what_was_chosen_for_an_upload_was_deleted_in_another_tab_before_its_listings_were_asked_for(
    shop: Shop, gone: str
) -> None:
    """The client shows a text only from a 2xx answer, and would say that it has received HTML."""
    wanted = ids(shop.upload(artworks.designs(2), shop.start()))
    others = ids(shop.upload(artworks.designs(1, first=5), mockup_id=another_group(shop, "Another")))
    for path in dict.fromkeys(("/mockups/delete/{0.mockup}", gone)):
        assert shop.client.delete(path.format(shop)).status_code == 200

    answer = shop.list_designs(wanted)

    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert (told["success"], told["success_code"]) == (False, 400)
    said = "Nothing was listed: what was chosen for this upload was deleted meanwhile. There is no "
    assert told["result"]["message"].startswith(said)
    assert told["result"]["message"].endswith(". What was stored stays stored.")
    for foreign in (others, [*wanted, *others], []):
        assert shop.list_designs(foreign).status_code == 404, "it was not chosen for those"


def test_who_asked_for_listings_is_told_of_a_mask_that_was_moved_while_they_were_made(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In another tab: all listings of the call have the mask as it was when they were asked for."""
    wanted = ids(shop.upload(artworks.designs(2), shop.start()))
    (image,) = shop.client.get(f"/mockups/by-id/{shop.mockup}").json()["mockup_images"]
    mask, ask = image["mask_data"][0], Sessions.ask_listings

    def then_moved(*given: Any) -> Any:
        found = ask(*given)
        moved = {"masks": [[[20, 20], [120, 30], [120, 90], [40, 90]]]}
        assert shop.client.put(f"/mockups/mask-data/{mask['id']}", json=moved).status_code == 200
        return found

    monkeypatch.setattr(Sessions, "ask_listings", then_moved)
    told = shop.list_designs(wanted).json()

    assert told["listings"]["listed"] == 2
    assert changed_since(2) in told["result"]["message"].splitlines()


def test_listings_asked_for_while_the_designs_are_still_made_exist_once(shop: Shop) -> None:
    files = artworks.designs(4)
    session = shop.start()
    with ThreadPoolExecutor(1) as pool:
        uploading = pool.submit(shop.upload, files, session)
        wanted = eventually(lambda: [item["item_id"] for item in shop.items(session)])
        answer = shop.list_designs(wanted)
        assert ids(uploading.result()) == wanted
    assert answer.json()["result"]["message"] == f"4 listings created.\n{TRIED}"
    assert len(shop.server.place.listed(shop.folder)) == 4
    assert shop.get(session)["state"] == "finished"


def test_an_upload_that_broke_off_half_way_leaves_nothing_and_can_be_sent_again(shop: Shop) -> None:
    for share in (0.0, 0.5, 0.999):
        files = artworks.fresh(3)
        session = shop.start(files)
        message = wire(shop.request(files, session))
        head = message.index(b"\r\n\r\n") + 4
        shop.server.send(message[: head + int((len(message) - head) * share)])
        assert len(ids(shop.upload(files, session))) == 3
        assert shop.get(session)["totals"]["received"] == 3
    assert prints(shop) == print_names(*range(100, 109))
    incoming = shop.server.place.data / "blobs" / "incoming"
    assert eventually(lambda: not list(incoming.iterdir())), "the half files are gone"


def test_an_upload_whose_answer_was_lost_is_sent_again_and_joins_the_first(shop: Shop) -> None:
    files = artworks.designs(5)
    session = shop.start(files)
    for _ in range(2):
        shop.server.send(wire(shop.request(files, session)), until=lambda: shop.items(session))
    found = ids(shop.upload(files, session))
    assert len(found) == 5
    assert [item["item_id"] for item in shop.items(session)] == found
    assert prints(shop) == print_names(100, 101, 102, 103, 104)


def test_a_request_for_listings_whose_answer_was_lost_is_joined(shop: Shop) -> None:
    session = shop.start()
    wanted = ids(shop.upload(artworks.designs(2), session))
    data = {"product_template_id": shop.product, "mockup_id": shop.mockup, "design_ids": wanted}
    form = {"product_data": (None, json.dumps(data))}
    message = wire(shop.client.build_request("POST", "/mockups/upload-mockup", files=form))
    shop.server.send(message, until=lambda: shop.get(session)["totals"]["listings_requested"])
    assert shop.list_designs(wanted).json()["listings"]["listed"] == 2
    assert len(shop.server.place.listed(shop.folder)) == 2


def test_an_upload_goes_on_to_its_listings_though_its_login_ends_meanwhile(shop: Shop, server: Threaded) -> None:
    """Row 30 of section 6: the frontend does not renew its login, and its calls wait for minutes."""
    session, files = shop.start(), artworks.designs(2)
    ended, long_ago = ended_login(server, shop, minutes=59), ended_login(server, shop, minutes=61)

    with server.client(ended) as client:
        late = replace(shop, client=client)
        assert late.upload(files, session).status_code == 401, "it began after that login's end"
        begun(server, session, minutes_ago=75)
        assert client.get("/users/me").status_code == 401
        assert client.post("/designs/start-upload", files=parts(files)).status_code == 401, "that begins another one"
        wanted = ids(late.upload(files, session))
        assert late.list_designs(wanted).json()["listings"]["listed"] == 2
        assert client.get(f"/designs/progress/{session}", params={"token": ended}).status_code == 200
    with server.client(long_ago) as client:
        late = replace(shop, client=client)
        assert late.upload(files, session).status_code == late.list_designs(wanted).status_code == 401
        assert client.get(f"/designs/progress/{session}", params={"token": long_ago}).status_code == 401


def begun(server: Threaded, session: str, minutes_ago: int) -> None:
    """Let an upload have begun so long ago."""
    at = datetime.now(UTC) - timedelta(minutes=minutes_ago)
    engine = create_engine(server.place.database_url)
    with engine.begin() as connection:
        connection.execute(update(sessions).where(sessions.c.client_key == session).values(announced_at=at))
    engine.dispose()


def ended_login(server: Threaded, shop: Shop, minutes: int) -> str:
    """A token that has ended so many minutes ago."""
    claims = jwt.decode(shop.token, options={"verify_signature": False})
    end = datetime.now(UTC) - timedelta(minutes=minutes)
    claims |= {"exp": int(end.timestamp()), "auth_time": int((end - timedelta(minutes=30)).timestamp())}
    return jwt.encode(claims, server.place.environment["JWT_SECRET_KEY"], "HS256")
