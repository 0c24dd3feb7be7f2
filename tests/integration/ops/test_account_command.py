"""`presswork account` beside a running system: who has an account, a password that was forgotten, a closed account."""

import json
import threading
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.integration.ingest import artworks
from tests.integration.ingest.embedded import PRODUCT
from tests.integration.ingest.frontend import Shop
from tests.integration.ops.pipeline import System
from tests.integration.ops.test_replay import ended, placed
from tests.seller import PASSWORD
from tests.waiting import eventually

NOBODY = "nobody@example.com"


def email(shop: Shop) -> str:
    return str(shop.user["email"])


def login(shop: Shop, password: str) -> tuple[int, dict[str, Any]]:
    with shop.server.client() as stranger:
        answer = stranger.post("/auth/token", data={"username": email(shop), "password": password})
    return answer.status_code, answer.json()


def logged_in(shop: Shop, session: str) -> set[int]:
    """The status of each way to use a login: calls, its renewal, either stream of an upload, a file on the NAS."""
    (design,) = shop.server.place.designs(shop.folder)
    header = {"Authorization": f"Bearer {shop.token}"}
    streams = (
        shop.stream(f"/designs/progress/{session}", params={"token": shop.token}),
        shop.stream(f"/api/v1/sessions/{session}/events/stream", headers=header),
    )
    paths = ("/users/me", "/designs/list", f"/designs/nas-file/{shop.folder}/{PRODUCT}/{design}")
    answers = [*(shop.client.get(path) for path in paths), shop.client.post("/auth/refresh-token")]
    return {answer.status_code for answer in answers} | {stream.result(60).status for stream in streams}


def uploaded(shop: Shop) -> str:
    """An upload that has ended, so that its streams end."""
    session = shop.start()
    design = shop.uploaded(artworks.fresh(1), session)["designs"][0]["id"]
    assert shop.list_designs([design]).status_code == 201
    eventually(lambda: shop.get(session)["state"] == "finished")
    return session


def line_of(system: System, shop: Shop) -> str:
    said = system.command("account", "list").output.splitlines()
    (found,) = (line for line in said if line.startswith(f"{email(shop)} "))
    return found


def test_all_accounts_are_listed_with_folder_date_role_and_what_is_closed(system: System, shop: Shop) -> None:
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    assert line_of(system, shop) == f"{email(shop)}  {shop.folder}  since {today}"
    system.command("operator", "add", email(shop), "--viewer")
    system.command("account", "disable", email(shop))
    assert line_of(system, shop) == f"{email(shop)}  {shop.folder}  since {today}  viewer, disabled"
    assert f"{email(shop)}  viewer, disabled\n" in system.command("operator", "list").output
    (found,) = (row for row in json.loads(system.command("account", "list", "--json").output)
                if row["email"] == email(shop))  # fmt: skip
    assert datetime.fromisoformat(found.pop("created_at")).tzinfo is not None
    expected = {"id": shop.user["id"], "email": email(shop), "shop_name": shop.folder, "shop_folder": shop.folder}
    assert found == expected | {"is_active": False, "role": "viewer"}


def test_a_new_password_ends_every_login_by_the_one_before(system: System, shop: Shop) -> None:
    session = uploaded(shop)
    assert logged_in(shop, session) == {200}
    said = system.command("account", "password", email(shop).upper()).stdout.splitlines()
    assert said[0].startswith(f"{email(shop)} is logged out everywhere.")
    assert logged_in(shop, session) == {401}
    assert login(shop, PASSWORD)[0] == 401
    assert login(shop, said[-1])[0] == 200


def test_a_closed_account_is_out_as_if_its_password_were_wrong_until_it_is_opened_again(
    system: System, shop: Shop
) -> None:
    session = uploaded(shop)
    wrong = login(shop, "a guess")
    said = system.command("account", "disable", email(shop).upper()).output
    assert said.splitlines() == [
        f"{email(shop)} is logged out, and can't log in any more.",
        "None of its uploads are in work.",
    ]
    assert logged_in(shop, session) == {401}
    assert login(shop, PASSWORD) == wrong == (401, {"detail": "Was not able to fetch auth from user."})
    assert system.command("account", "enable", email(shop)).output == f"{email(shop)} can log in.\n"
    assert login(shop, PASSWORD)[0] == 200
    assert logged_in(shop, session) == {200}


def test_open_streams_of_a_closed_account_end_before_its_upload_does(system: System, shop: Shop) -> None:
    session, begun = shop.start(), [threading.Event(), threading.Event()]
    streams = (
        shop.stream(f"/designs/progress/{session}", params={"token": shop.token}, begun=begun[0]),
        shop.stream(
            f"/api/v1/sessions/{session}/events/stream",
            headers={"Authorization": f"Bearer {shop.token}"},
            begun=begun[1],
        ),
    )
    assert all(one.wait(30) for one in begun)
    system.command("account", "disable", email(shop))
    progress, events = (stream.result(30) for stream in streams)
    assert [frame["step"] for frame in progress.data] == [1]
    assert [event["type"] for event in events.data] == ["announced"]


def test_what_a_closed_account_has_uploaded_is_stored_all_the_same(system: System, shop: Shop) -> None:
    session, files = shop.start(), artworks.fresh(2)
    with system.failing("storage.designs", placed(files[0][0])):
        shop.uploaded(files, session)
        (letter,) = eventually(lambda: system.letters(session))
        ended(shop, session, failed=1)
    said = system.command("account", "disable", email(shop)).output
    assert f"1 upload of it is in work and goes on: presswork sessions --tenant {email(shop)}" in said
    assert len(system.server.place.designs(shop.folder)) == 1
    system.command("dead", "replay", letter["id"], "--yes")
    eventually(lambda: len(system.server.place.designs(shop.folder)) == 2)
    assert session in system.command("sessions", "--tenant", email(shop)).output


def test_a_closed_account_that_gets_a_password_is_still_closed_and_the_command_says_so(
    system: System, shop: Shop
) -> None:
    system.command("account", "disable", email(shop))
    said = system.command("account", "password", email(shop))
    assert f"presswork account enable {email(shop)}" in said.stderr
    assert login(shop, said.stdout.splitlines()[-1])[0] == 401


@pytest.mark.parametrize("verb", ["password", "disable", "enable"])
def test_an_email_of_nobody_is_told(system: System, verb: str) -> None:
    said = system.command("account", verb, NOBODY, code=3)
    assert (said.stdout, said.stderr) == ("", f"No account has the e-mail {NOBODY}: presswork account list\n")
