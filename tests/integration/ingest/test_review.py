"""Near copies that wait for their seller: seen beside what they matched, kept or skipped, asked about only once."""

import io
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx
import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from services.cli import app
from tests.images import saved
from tests.integration.ingest import artworks
from tests.integration.ingest.artworks import File, copy_of, print_names
from tests.integration.ingest.embedded import Threaded
from tests.integration.ingest.frontend import Shop
from tests.waiting import eventually


def asked_about(shop: Shop, *names: str) -> tuple[str, list[str]]:
    """A session whose files all wait, near copies of a design that an earlier one stored; and their ids."""
    (design,) = artworks.fresh(1)
    shop.uploaded([design])
    session = shop.start()
    copies = [copy_of(design, name, 0.96 - 0.02 * number) for number, name in enumerate(names)]
    answer = shop.upload(copies, session, duplicates="review")
    assert answer.status_code == 201, answer.text
    assert [item["needs_review"] for item in shop.items(session)] == [True] * len(names)
    assert answer.json()["needs_review"] == len(names)
    assert [skipped["needs_review"] for skipped in answer.json()["skipped"]] == [True] * len(names)
    return session, [item["item_id"] for item in shop.items(session)]


def decide(shop: Shop, session: str, **wish: Any) -> httpx.Response:
    return shop.client.post(f"/api/v1/sessions/{session}/review", json=wish)


def about(item: str, decision: str) -> dict[str, Any]:
    return {"decisions": [{"item_id": item, "decision": decision}]}


def stored(shop: Shop, session: str, number: int) -> bool:
    return bool(shop.get(session)["totals"]["stored"] == number)


def test_a_near_copy_waits_is_shown_beside_its_match_and_is_stored_once_it_is_kept(
    server: Threaded, shop: Shop, stranger: Shop
) -> None:
    session, (item,) = asked_about(shop, "darker.png")
    found = shop.get(session)
    assert (found["state"], found["duplicates"], found["needs_review"]) == ("finished", "review", 1)
    assert found["message"] == "Upload completed successfully: 0 stored, 1 near copy to decide about"
    (pair,) = shop.get(session, "/review?which=waiting")["pairs"]
    assert (pair["filename"], pair["decision"], pair["match"]["source"]) == ("darker.png", "waiting", "database")
    assert pair["verdict"] in ("near_copy", "re_encode")
    for link in (pair["thumbnail_url"], pair["match_thumbnail_url"]):
        assert shop.client.get(link).headers["content-type"] == "image/png"
        assert stranger.client.get(link).status_code == 404
    assert shop.client.get(pair["match_file_url"]).headers["content-type"] == "image/png"
    assert decide(stranger, session, **about(item, "keep")).status_code == 404
    done = decide(shop, session, **about(item, "keep")).json()
    assert (done["message"], done["kept"]) == ("1 file kept and worked on again.", [item])
    assert (done["session"]["state"], done["session"]["needs_review"]) == ("working", 0)
    eventually(lambda: stored(shop, session, 1))
    assert server.place.designs(shop.folder) == print_names(100, 101)
    (kept,) = shop.items(session)
    assert (kept["decision"], kept["resembles"]["verdict"]) == ("keep", pair["verdict"])
    assert decide(shop, session, **about(item, "keep")).json()["decided_before"] == 1
    refused = decide(shop, session, **about(item, "skip"))
    assert refused.status_code == 409
    assert "that can't be taken back" in refused.json()["detail"]
    assert [event["seq"] for event in shop.get(session, "/events")["events"]] == list(
        range(1, shop.get(session)["last_seq"] + 1)
    )


def test_a_pair_says_when_what_it_matched_is_gone_from_the_nas_or_was_changed_there(
    server: Threaded, shop: Shop
) -> None:
    designs = artworks.fresh(3)
    shop.uploaded(designs)
    session = shop.start()
    shop.upload([copy_of(design, f"darker {design[0]}") for design in designs], session, duplicates="review")
    folder = server.place.nas / shop.folder
    gone, torn, _ = sorted(folder.rglob("UV*.png"))
    gone.unlink()
    torn.write_bytes(torn.read_bytes()[:500])

    def pairs() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = shop.get(session, "/review?which=waiting")["pairs"]
        return found

    assert [pair["match_on_nas"] for pair in pairs()] == [None] * 3, "nobody has looked since"
    before = [pair["reason"] for pair in pairs()]
    asked = CliRunner().invoke(
        app, ["nas", "scan", "--shop", shop.folder], env={"DATABASE_URL": server.place.database_url, "EMBEDDED": "1"}
    )
    assert asked.exit_code == 0, asked.output
    eventually(lambda: [pair["match_on_nas"] for pair in pairs()] == ["gone", "changed", None])
    assert [pair["reason"] for pair in pairs()] == [
        f"{before[0]}; that file is no longer there on the NAS (deleted, moved or renamed)",
        f"{before[1]}; that file was changed or damaged on the NAS since",
        before[2],
    ]
    shown = command(server, "review", session, "--json")["pairs"]
    assert [pair["match_on_nas"] for pair in shown] == ["gone", "changed", None]


def test_a_banner_and_its_match_are_shown_in_their_own_proportions(shop: Shop) -> None:
    discs = artworks.artwork(6001, (1500, 250))
    banner = discs.crop(discs.getbbox()).resize(discs.size)
    wide, tall = ("wide.png", saved(banner)), ("tall.png", saved(banner.rotate(90, expand=True)))
    shop.uploaded([wide, tall])
    session = shop.start()
    shop.upload([copy_of(wide, "darker wide.png"), copy_of(tall, "darker tall.png")], session, duplicates="review")
    pairs = shop.get(session, "/review?which=waiting")["pairs"]
    assert [pair["filename"] for pair in pairs] == ["darker wide.png", "darker tall.png"]
    for link in ("thumbnail_url", "match_thumbnail_url"):
        lying, standing = (Image.open(io.BytesIO(shop.client.get(pair[link]).content)) for pair in pairs)
        assert (lying.mode, lying.getchannel("A").getextrema()) == ("RGBA", (0, 255))
        assert lying.size == pytest.approx((256, 256 * 250 / 1500), abs=2)
        assert standing.size == pytest.approx((256 * 250 / 1500, 256), abs=2)
        same = np.abs(np.subtract(*(np.asarray(seen, np.int16) for seen in (lying, standing.rotate(-90, expand=True)))))
        assert same.mean() < 8, "levels: it is the same picture, turned"


def test_a_kept_pair_asks_nobody_in_a_later_upload_of_the_same_files(shop: Shop) -> None:
    design, *_ = artworks.fresh(1)
    copy = copy_of(design, "darker.png")
    (first,) = shop.uploaded([design])["designs"]
    session = shop.start()
    shop.upload([copy], session, duplicates="review")
    (item,) = shop.items(session)
    decide(shop, session, **about(item["item_id"], "keep"))
    eventually(lambda: stored(shop, session, 1))
    for deleted, again in ((item["item_id"], copy), (first["id"], design)):
        assert shop.client.delete(f"/designs/delete/{deleted}").status_code == 200
        eventually(lambda again=again: stored_anew(shop, again))


def stored_anew(shop: Shop, file: File) -> bool:
    """Whether it is stored; before dedup has heard that the same file was deleted, it is that one's duplicate."""
    session = shop.start()
    shop.upload([file], session, duplicates="review")
    assert shop.get(session)["needs_review"] == 0
    return stored(shop, session, 1)


def test_what_was_skipped_can_be_kept_later_and_so_can_what_a_policy_skipped_unasked(shop: Shop) -> None:
    session, (item,) = asked_about(shop, "darker.png")
    assert decide(shop, session, **about(item, "skip")).json()["message"] == "1 file skipped."
    assert (shop.get(session)["needs_review"], shop.items(session)[0]["decision"]) == (0, "skip")
    assert decide(shop, session, **about(item, "skip")).json()["decided_before"] == 1
    (design,) = artworks.fresh(1)
    shop.uploaded([design], shop.start())
    unasked = shop.start()
    shop.uploaded([copy_of(design, "darker.png"), ("same.png", design[1])], unasked)
    near, same = [file["item_id"] for file in shop.items(unasked)]
    assert shop.get(unasked)["needs_review"] == 0
    refused = decide(shop, unasked, decisions=[*about(near, "keep")["decisions"], *about(same, "keep")["decisions"]])
    assert refused.status_code == 409
    assert refused.json()["detail"].startswith("same.png is the very same file or print")
    assert shop.items(unasked)[0]["state"] == "duplicate", "all or nothing"
    for upload, file in ((session, item), (unasked, near)):
        assert decide(shop, upload, **about(file, "keep")).status_code == 200
        eventually(lambda upload=upload: stored(shop, upload, 1))


def test_all_that_wait_are_decided_at_once_and_two_people_at_once_store_nothing_twice(
    server: Threaded, shop: Shop
) -> None:
    session, items = asked_about(shop, "one.png", "two.png", "three.png")
    assert decide(shop, session, all={"decision": "keep", "verdict": "same_hash"}).json()["kept"] == []
    with ThreadPoolExecutor(4) as pool:
        wishes = [{"all": {"decision": "keep"}}, *(about(items[0], "keep") for _ in range(3))]
        answers = list(pool.map(lambda wish: decide(shop, session, **wish), wishes))
    assert [answer.status_code for answer in answers] == [200] * 4
    assert sorted(item for answer in answers for item in answer.json()["kept"]) == sorted(items)
    eventually(lambda: stored(shop, session, 3))
    assert server.place.designs(shop.folder) == print_names(100, 101, 102, 103)


def test_what_cant_be_decided_is_refused_in_words(shop: Shop) -> None:
    session = shop.start()
    shop.uploaded([*artworks.fresh(1), ("broken.png", b"no picture")], session)
    fine, broken = [item["item_id"] for item in shop.items(session)]
    for item, words in ((fine, "is stored: there is nothing to decide"), (broken, "could not be used")):
        answer = decide(shop, session, **about(item, "keep"))
        assert answer.status_code == 409
        assert words in answer.json()["detail"]
    unknown = decide(shop, session, **about(str(uuid4()), "skip"))
    assert (unknown.status_code, unknown.json()["detail"].startswith("Your session has no file")) == (404, True)
    assert decide(shop, session, decisions=[{"item_id": fine, "decision": "perhaps"}]).status_code == 422
    both_ways = decide(shop, session, decisions=[about(fine, each)["decisions"][0] for each in ("keep", "skip")])
    assert (both_ways.status_code, "is to be kept and skipped" in both_ways.text) == (422, True)
    assert decide(shop, str(uuid4()), **about(fine, "keep")).status_code == 404


def test_an_accounts_setting_counts_where_an_upload_says_nothing_and_who_changed_it_is_kept(
    server: Threaded, shop: Shop, stranger: Shop
) -> None:
    setting = "/api/v1/settings/duplicates"
    assert shop.client.get(setting).json() | {"policies": 0, "meaning": 0} == {
        "policy": "skip_near", "distance": None, "meaning": 0, "policies": 0, "changes": [],
    }  # fmt: skip
    assert shop.client.put(setting, json={"policy": "whatever"}).status_code == 422
    session, files = shop.start(), artworks.fresh(1)
    shop.uploaded(files, session)
    changed = shop.client.put(setting, json={"policy": "keep_all"}).json()
    assert (changed["policy"], changed["changes"][0]["changed_by"]) == ("keep_all", shop.user["email"])
    changed = shop.client.put(setting, json={"distance": 7}).json()
    assert (changed["policy"], changed["distance"]) == ("keep_all", 7)
    foreseen = shop.client.get(f"{setting}/preview", params={"distance": 8}).json()
    assert (foreseen["distance_now"], foreseen["more"], foreseen["pictures"]) == (7, 0, 1)
    assert shop.client.get(f"{setting}/preview", params={"distance": 300}).status_code == 422
    for no_distance in (True, "7", 300):
        assert shop.client.put(setting, json={"distance": no_distance}).status_code == 422, "true is no 1"
    assert shop.upload(files, session).status_code == 201, "sent again it is the same upload, as it was"
    assert shop.get(session)["duplicates"] == "skip_near"
    again = shop.start()
    assert shop.uploaded(files, again)["total"] == 1
    assert shop.get(again)["duplicates"] == "keep_all"
    assert shop.items(again)[0]["resembles"]["verdict"] == "identical_bytes"
    assert stranger.client.get(setting).json()["policy"] == "skip_near"
    told = command(server, "duplicates", shop.user["email"], "review", "--json")
    assert (told["policy"], len(told["changes"])) == ("review", 3)
    now = shop.client.get(setting).json()
    assert (now["policy"], now["distance"]) == ("review", 7)
    assert command(server, "duplicates", shop.user["email"], "--distance", "8", "--preview", "--json")["more"] == 0


def command(server: Threaded, *words: str) -> dict[str, Any]:
    environment = {"DATABASE_URL": server.place.database_url, "BLOB_DIR": str(server.place.data / "blobs")}
    result = CliRunner().invoke(app, words, env=environment)
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_an_operator_decides_on_the_command_line(server: Threaded, shop: Shop) -> None:
    session, _ = asked_about(shop, "one.png", "two.png", "three.png")
    shown = command(server, "review", session, "--json")["pairs"]
    assert [(pair["number"], pair["filename"], pair["decision"]) for pair in shown] == [
        (1, "one.png", "waiting"), (2, "two.png", "waiting"), (3, "three.png", "waiting"),
    ]  # fmt: skip
    told = command(server, "review", session, "--keep", "2", "--skip", "one.png", "--json")
    assert told["message"] == "1 file kept and worked on again, 1 file skipped."
    eventually(lambda: stored(shop, session, 1))
    assert command(server, "review", session, "--skip-all", "--json")["message"] == "1 file skipped."
    assert [item["state"] for item in shop.items(session)] == ["duplicate", "stored", "duplicate"]
    refused = CliRunner().invoke(
        app, ["review", session, "--skip", "2"], env={"DATABASE_URL": server.place.database_url}
    )
    assert refused.exit_code == 1
    assert "that can't be taken back" in refused.output
    unknown = CliRunner().invoke(
        app, ["review", session, "--keep", "99"], env={"DATABASE_URL": server.place.database_url}
    )
    assert "there is no near duplicate 99 in this upload; their numbers: 1, 2, 3\n" in unknown.output
