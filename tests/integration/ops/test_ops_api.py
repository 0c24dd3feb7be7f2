"""Operators over HTTP: who may, and that it does what the command does. Sellers: their own, and nobody else's."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from tests.integration.ingest import artworks, frontend
from tests.integration.ingest.frontend import Shop
from tests.integration.ops.pipeline import System
from tests.integration.ops.test_replay import ended, placed, sound
from tests.waiting import eventually

OPS = "/api/v1/ops/dead-letters"

NOBODY = "3f2a0000-0000-4000-8000-000000000000"


@pytest.fixture
def stranger(system: System) -> Iterator[Shop]:
    """Another seller."""
    with frontend.shop(system.server) as found:
        yield found


@pytest.fixture
def operator(system: System) -> Iterator[Shop]:
    """An account that was made an operator's."""
    with frontend.shop(system.server) as found:
        system.command("operator", "add", found.user["email"].upper())
        yield found


@pytest.fixture
def viewer(system: System) -> Iterator[Shop]:
    """An account that may look."""
    with frontend.shop(system.server) as found:
        system.command("operator", "add", found.user["email"], "--viewer")
        yield found


def broken(system: System, shop: Shop, count: int, *, of: int) -> str:
    """A session some of whose files storage gave up."""
    files = artworks.fresh(of)
    session = shop.start()
    with system.failing("storage.designs", placed(*(name for name, _ in files[:count]))):
        shop.uploaded(files, session)
        eventually(lambda: len(system.letters(session)) == count)
        ended(shop, session, failed=count)
    return session


LOOKS = ["", "/groups", "/export", "/audit", f"/audit/{NOBODY}", f"/{NOBODY}"]
CHANGES = ["replay", "discard", "restore", "note", "purge", f"audit/{NOBODY}/cancel", f"{NOBODY}/edit"]
ANYTHING = {"all": True, "note": "x", "confirm": "storage 1", "export_sha256": "", "message": {}, "allow_edit": True}


def test_sellers_may_neither_look_at_dead_letters_nor_change_them(system: System, shop: Shop) -> None:
    answers = [shop.client.get(OPS + path) for path in LOOKS]
    answers += [shop.client.post(f"{OPS}/{verb}", json=ANYTHING) for verb in CHANGES]
    assert {answer.status_code for answer in answers} == {403}
    assert all("presswork operator add" in answer.json()["detail"] for answer in answers)
    with system.server.client() as nobody:
        assert {nobody.post(f"{OPS}/{verb}", json=ANYTHING).status_code for verb in CHANGES} == {401}


def test_viewers_may_look_and_change_nothing(system: System, viewer: Shop) -> None:
    assert {viewer.client.get(OPS + path).status_code for path in LOOKS} == {200, 404}, "404: there is no such one"
    for verb in CHANGES:
        refused = viewer.client.post(f"{OPS}/{verb}", json=ANYTHING)
        assert (refused.status_code, refused.json()["detail"][:33]) == (403, "You may look, and change nothing.")
    assert f"{viewer.user['email']}  viewer" in system.command("operator", "list").output


def test_viewers_read_any_sellers_uploads_and_receipts_and_sellers_only_their_own(
    system: System, shop: Shop, stranger: Shop, viewer: Shop
) -> None:
    session = shop.start()
    mail, sessions = shop.user["email"], "/api/v1/ops/sessions"
    for path in ("", f"/{session}", f"/{session}/receipt"):
        assert stranger.client.get(sessions + path).status_code == 403
    (listed,) = viewer.client.get(sessions, params={"tenant": mail.upper()}).json()["sessions"]
    whole = viewer.client.get(f"{sessions}/{session}").json()
    assert (listed["session_id"], listed["seller"]) == (whole["session_id"], mail)
    receipt = viewer.client.get(f"{sessions}/{session}/receipt").json()
    assert receipt == shop.get(session, "/receipt") | {"seller": mail, "shop": shop.user["shop_name"]}
    for nobody in (NOBODY, "no%00body"):
        assert viewer.client.get(f"{sessions}/{nobody}/receipt").status_code == 404
    said = system.command("sessions", "--tenant", mail).output
    assert whole["session_id"] in said
    assert mail in said


def test_an_operator_has_a_shops_folder_scanned_and_reads_what_came_of_it(
    system: System, shop: Shop, operator: Shop, viewer: Shop
) -> None:
    name, scans = shop.user["shop_name"], "/api/v1/ops/scans"
    folder = system.server.place.nas / name
    folder.mkdir(exist_ok=True)

    def scanned() -> dict[str, Any] | None:
        (found,) = viewer.client.get(scans, params={"shop": shop.user["email"]}).json()["shops"]
        now: dict[str, Any] | None = found["scan"]
        return now if now and now["is_over"] else None

    eventually(scanned)  # a new account's first one comes by itself, and must not come last
    (name_of_a_picture, content), *_ = artworks.fresh(1)
    (folder / name_of_a_picture).write_bytes(content)
    (folder / "torn.png").write_bytes(content[:50])
    assert {each.client.post(scans, json={"shop": name}).status_code for each in (shop, viewer)} == {403}
    assert shop.client.get(scans).status_code == 403
    for answer in (operator.client.post(scans, json={"shop": "Nobody"}), operator.client.get(f"{scans}?shop=Nobody")):
        assert (answer.status_code, answer.json()["detail"]) == (404, "No shop is called Nobody.")

    asked = operator.client.post(scans, json={"shop": name})
    assert asked.status_code == 202
    (wanted,) = asked.json()["scans"]
    assert (wanted["shop"], wanted["user_id"]) == (name, shop.user["id"])

    scan = eventually(lambda: (now := scanned()) and now["scan_id"] == wanted["scan_id"] and now)
    assert (scan["pictures"], scan["known"], scan["unusable"], scan["ours"], scan["unread"]) == (2, 1, 1, 0, {})
    assert [file["path"] for file in scan["unusable_files"]] == [f"{name}/torn.png"]
    everybodys = viewer.client.get(scans, params={"limit": 1}).json()
    assert everybodys["total"] > len(everybodys["shops"]) == 1


def test_the_role_counts_from_the_next_call_on_and_is_in_no_token(system: System, shop: Shop) -> None:
    email = shop.user["email"]
    assert shop.client.get(OPS).status_code == 403
    system.command("operator", "add", email)
    assert shop.client.get(OPS).status_code == 200
    assert email in system.command("operator", "list").output
    system.command("operator", "remove", email)
    assert shop.client.get(OPS).status_code == 403
    assert "No account" in system.command("operator", "add", "nobody@example.com", code=3).output


def test_an_operator_finds_understands_and_replays(system: System, shop: Shop, operator: Shop) -> None:
    session = broken(system, shop, 3, of=4)
    client = operator.client
    found = client.get(OPS, params={"session": session, "limit": 2}).json()
    assert (found["total"], len(found["letters"])) == (3, 2)
    assert {letter["tenant_id"] for letter in found["letters"]} == {shop.user["id"]}
    (group,) = client.get(f"{OPS}/groups", params={"session": session}).json()["groups"]
    assert (group["letters"], group["waiting"], group["sessions"]) == (3, 3, 1)
    letter = client.get(f"{OPS}/{found['letters'][0]['id']}").json()
    assert "gremlins" in letter["stack"]
    assert json.loads(letter["body"])["type"] == "ImageAccepted"
    ids = [letter["id"] for letter in found["letters"]]
    named = client.get(OPS, params={"ids": ids}).json()["letters"]
    assert [letter["id"] for letter in named] == ids
    lines = client.get(f"{OPS}/export", params={"session": session}).text.splitlines()
    assert {json.loads(line)["session_id"] for line in lines} == {session}
    assert len(lines) == 3

    order = {"filter": {"session": session}}
    tried = client.post(f"{OPS}/replay", json=order | {"dry_run": True}).json()
    assert (tried["matched"], tried["services"], tried["obstacles"]) == (3, {"storage": 3}, [])
    assert {each["result"] for each in tried["sample"]} == {"reopened"}
    assert sound(shop, session)["failed"] == 3
    first = client.post(f"{OPS}/replay", json=order | {"cutoff": tried["cutoff"], "limit": 1}).json()
    assert (first["matched"], first["left"], first["counts"]) == (3, 2, {"reopened": 1})
    rest = client.post(f"{OPS}/replay", json=order | {"cutoff": tried["cutoff"]}).json()
    assert rest["counts"] == {"reopened": 2}
    ended(shop, session, stored=4, failed=0)
    runs = {run["run_id"]: run for run in client.get(f"{OPS}/audit").json()["runs"]}
    assert runs[rest["run_id"]]["who"] == operator.user["email"]
    assert runs[rest["run_id"]]["counts"] == {"matched": 2, "reopened": 2}
    audited = client.get(f"{OPS}/audit/{rest['run_id']}").json()
    results = audited["results"]
    assert audited["run"]["state"] == "ended"
    assert [result["result"] for result in results] == ["reopened", "reopened"]


def test_a_canary_runs_in_the_background_and_can_be_watched_and_cancelled(
    system: System, shop: Shop, operator: Shop
) -> None:
    client = operator.client
    session = broken(system, shop, 7, of=7)
    with system.engine.begin() as connection:
        # Storage waits for this row, so that the first step does not end before somebody looks.
        hold = text("SELECT item_id FROM storage.designs WHERE session_id = :id FOR UPDATE")
        connection.execute(hold, {"id": session})
        order = {"filter": {"session": session}, "canary": True, "limit": 7}
        begun = client.post(f"{OPS}/replay", json=order)
        assert begun.status_code == 202
        watch = begun.json()["watch"]
        run = eventually(lambda: now if "reopened" in (now := client.get(watch).json()["run"])["counts"] else None)
        assert (run["state"], run["counts"]) == ("running", {"matched": 7, "reopened": 1})
        assert client.post(f"{watch}/cancel").json()["run"]["cancelled_by"] == operator.user["email"]
        eventually(lambda: client.get(watch).json()["run"]["state"] == "cancelled")
    ended(shop, session, stored=1, failed=6)
    again = client.post(f"{OPS}/replay", json=order).json()
    run = eventually(lambda: now if (now := client.get(again["watch"]).json()["run"])["state"] == "ended" else None)
    assert run["counts"] == {"matched": 6, "reopened": 6}
    ended(shop, session, stored=7, failed=0)


def test_what_an_operator_edits_purges_and_sends_elsewhere_over_http(
    system: System, shop: Shop, operator: Shop
) -> None:
    client = operator.client
    session = broken(system, shop, 2, of=2)
    letters = system.letters(session)
    edited = json.loads(letters[0]["body"])
    order = {"message": edited, "allow_edit": True}
    refused = client.post(f"{OPS}/{letters[0]['id']}/edit", json=order)
    assert (refused.status_code, refused.json()["detail"]) == (422, "Nothing was sent: nothing is edited; replay it.")
    edited["data"]["destination"]["starting_number"] = 500
    assert client.post(f"{OPS}/{letters[0]['id']}/edit", json=order).json()["result"] == "edited"
    ended(shop, session, stored=1, failed=1)
    assert system.letters(session)[0]["status"] == "superseded"
    unknown = client.post(f"{OPS}/replay", json={"all": True, "to": "mail"})
    assert unknown.status_code == 422
    query = {"session": session, "service": "storage", "status": "dead"}
    export = client.get(f"{OPS}/export", params=query).content
    wanted = {"filter": query | {"status": ["dead"]}, "export_sha256": hashlib.sha256(export).hexdigest()}
    refused = client.post(f"{OPS}/purge", json=wanted | {"confirm": "storage 2"})
    assert (refused.status_code, "type: storage 1" in refused.json()["detail"]) == (422, True)
    assert client.post(f"{OPS}/purge", json=wanted | {"confirm": "storage 1"}).json() == {"purged": 1}
    assert [row["id"] for row in system.letters(session)] == [letters[0]["id"]]


def test_prometheus_sees_what_waits_and_what_was_replayed(system: System, shop: Shop, operator: Shop) -> None:
    def figures() -> dict[str, float]:
        lines = shop.client.get("/metrics").text.splitlines()
        return {name: float(value) for line in lines if line[0] != "#" for name, value in [line.rsplit(" ", 1)]}

    before = figures()
    waiting, oldest = 'presswork_dead_letters_waiting{service="storage"}', "presswork_dead_letters_oldest_age_seconds"
    session = broken(system, shop, 2, of=2)
    now = figures()
    assert now[waiting] == before[waiting] + 2
    assert now[oldest + '{service="storage"}'] > 0 == now[oldest + '{service="ingest"}']
    operator.client.post(f"{OPS}/replay", json={"filter": {"session": session}}).raise_for_status()
    ended(shop, session, stored=2)
    replays = 'presswork_dead_letter_replays_total{result="reopened"}'
    assert figures()[replays] == before[replays] + 2


def test_what_died_after_the_cut_off_stays(system: System, shop: Shop, operator: Shop) -> None:
    session = broken(system, shop, 1, of=2)
    cutoff = operator.client.post(f"{OPS}/replay", json={"all": True, "dry_run": True}).json()["cutoff"]
    later = broken(system, shop, 1, of=2)
    wanted = {"filter": {"tenant": shop.user["id"]}, "cutoff": cutoff}
    assert operator.client.post(f"{OPS}/replay", json=wanted).json()["matched"] == 1
    ended(shop, session, stored=2)
    assert sound(shop, later)["failed"] == 1
    (letter,) = system.letters(later)
    named = {"filter": {"ids": [str(letter["id"])]}, "cutoff": cutoff}
    (result,) = operator.client.post(f"{OPS}/replay", json=named).json()["results"]
    assert (result["result"], result["words"]) == ("refused", "it died after this replay was confirmed")


def test_the_calls_are_documented(system: System) -> None:
    with system.server.client() as client:
        paths = client.get("/openapi.json").json()["paths"]
    assert {f"{OPS}/replay", f"{OPS}/{{letter_id}}", "/api/v1/sessions/{session_id}/retry"} <= set(paths)
    asked = {parameter["name"] for parameter in paths[OPS]["get"]["parameters"]}
    assert {"service", "session", "tenant", "file", "cause", "fingerprint", "since", "status", "limit"} <= asked


def test_all_letters_are_only_taken_when_it_is_said(operator: Shop) -> None:
    for verb in ("replay", "discard", "restore"):
        answer = operator.client.post(f"{OPS}/{verb}", json={})
        assert answer.status_code == 422
        assert "all: true" in answer.json()["detail"]
    assert operator.client.post(f"{OPS}/replay", json={"filter": {"sesion": "x"}}).status_code == 422


@pytest.mark.parametrize("name", ["session", "tenant", "file", "cause", "fingerprint", "text"])
def test_a_nul_that_no_text_in_the_database_has_is_refused(operator: Shop, name: str) -> None:
    assert operator.client.get(OPS, params={name: "\0"}).status_code == 422
    assert operator.client.post(f"{OPS}/replay", json={"filter": {name: "\0"}}).status_code == 422


def test_no_shop_is_called_nul(operator: Shop) -> None:
    assert operator.client.get("/api/v1/ops/scans", params={"shop": "\0"}).status_code == 422
    assert operator.client.post("/api/v1/ops/scans", json={"shop": "\0"}).status_code == 422


def test_discarding_is_soft_and_a_note_stays(system: System, shop: Shop, operator: Shop) -> None:
    session = broken(system, shop, 2, of=2)
    order = {"filter": {"session": session}}
    client = operator.client
    assert client.post(f"{OPS}/note", json=order | {"note": "disk 3"}).json() == {"noted": 2}
    assert client.post(f"{OPS}/discard", json=order | {"why": "not worth it"}).json() == {"discarded": 2}
    assert client.post(f"{OPS}/replay", json=order).json()["matched"] == 0
    assert client.post(f"{OPS}/discard", json=order).json() == {"discarded": 0}
    letters = client.get(OPS, params={"session": session, "status": "discarded"}).json()["letters"]
    assert {(letter["outcome"], letter["note"]) for letter in letters} == {("not worth it", "disk 3")}
    assert client.post(f"{OPS}/restore", json=order).json() == {"restored": 2}
    assert client.post(f"{OPS}/replay", json=order).json()["counts"] == {"reopened": 2}
    ended(shop, session, stored=2)


def test_a_seller_tries_again_what_failed_and_asking_twice_does_it_once(system: System, shop: Shop) -> None:
    session = broken(system, shop, 2, of=3)
    with system.failing("storage.designs", f"NEW.state = 'placed' AND NEW.session_id = '{session}'"):
        answers = [shop.client.post(f"/api/v1/sessions/{session}/retry").json() for _ in range(2)]
        assert [len(answer["retried"]) for answer in answers] == [2, 0]
        assert answers[0]["message"] == "2 files are being worked on again."
        assert answers[1]["message"] == "Nothing of this upload has failed, so nothing is tried again."
        assert answers[0]["totals"]["in_progress"] == 2
        first = ended(shop, session, failed=2)["items"][0]
        one = shop.client.post(f"/api/v1/sessions/{session}/items/{first['item_id']}/retry").json()
        assert [file["filename"] for file in one["retried"]] == [first["filename"]]
        ended(shop, session, failed=2)
    system.command("retry", session, "--item", first["item_id"])
    assert ended(shop, session, stored=2, failed=1)["items"][0]["state"] == "stored"
    stored = shop.client.post(f"/api/v1/sessions/{session}/items/{first['item_id']}/retry").json()["message"]
    assert stored == f"{first['filename']} is stored, and no listing of it has failed: nothing is tried again."
    system.command("retry", session)
    assert ended(shop, session, stored=3)["items"][0]["generation"] == 3
    system.command("retry", session, code=3)


def test_a_seller_tries_again_only_what_is_their_own(system: System, shop: Shop, stranger: Shop) -> None:
    session = broken(system, shop, 1, of=2)
    item = shop.items(session)[0]["item_id"]
    for path in (f"/api/v1/sessions/{session}/retry", f"/api/v1/sessions/{session}/items/{item}/retry"):
        assert stranger.client.post(path).status_code == 404
    other = broken(system, stranger, 1, of=2)
    answer = stranger.client.post(f"/api/v1/sessions/{other}/items/{item}/retry")
    assert (answer.status_code, answer.json()["detail"]) == (404, f"Your session has no file {item}.")
    assert sound(shop, session)["failed"] == 1


@pytest.mark.parametrize("by", ["its seller", "an operator"])
def test_a_listing_is_tried_again_with_mockup_and_print_as_they_are_now(system: System, shop: Shop, by: str) -> None:
    """What the listing failed for was mended in the mockup group; what it asked for then would fail again.

    Its print was taken away meanwhile, and comes back from the NAS.
    """
    session = shop.start()
    (design, _) = shop.uploaded(artworks.fresh(2), session)["designs"]
    image = shop.client.get("/mockups/").json()["mockups"][0]["mockup_images"][0]
    masks = system.rows("SELECT * FROM ingest.mockup_masks WHERE mockup_image_id = :id", id=image["id"])
    with system.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM ingest.mockup_masks WHERE mockup_image_id = %s", (image["id"],))
    told = shop.list_designs([design["id"]]).json()["result"]["message"]
    assert "draw where the design goes" in told
    area = masks[0]["masks"]
    mask = {"mockup_image_id": image["id"], "masks": area, "points": area}
    shop.client.post(f"/mockups/images/{image['id']}/mask-data", json=mask).raise_for_status()
    (stored,) = system.rows("SELECT print_sha256 FROM ingest.items WHERE id = :id", id=design["id"])
    (Path(system.environment["BLOB_DIR"]) / stored["print_sha256"][:2] / stored["print_sha256"]).unlink()
    if by == "its seller":
        said = shop.client.post(f"/api/v1/sessions/{session}/retry").json()["message"]
    else:
        said = system.command("retry", session).output.strip()
    assert said == "1 listing is being worked on again."
    ended(shop, session, listed=1, listing_failed=0)
