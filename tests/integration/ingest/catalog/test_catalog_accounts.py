"""Registering, logging in, tokens: contract 1.3."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import jwt
import pytest
from fastapi import APIRouter, Depends
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy import select, update

from services.ingest.api.identity import stream_user
from services.ingest.api.resources import build
from services.ingest.catalog.folders import note
from services.ingest.catalog.passwords import Passwords
from services.ingest.catalog.users import User, Users
from services.ingest.settings import Settings
from services.ingest.tables import users
from tests.integration.ingest.catalog.world import (
    PASSWORD,
    QUICK,
    SECRET,
    Browser,
    Caller,
    World,
    registered,
    registration,
)


def changed(world: World, **settings: Any) -> World:
    """The same world under other settings."""
    old = world.resources
    new = build(
        Settings(jwt_secret_key=SECRET, **settings),
        world.engine,
        world.blobs,
        old.emit,
        old.neighbours,
        passwords=QUICK,
    )
    return replace(world, resources=new)


def forged(user_id: object, *, secret: str = SECRET, lives: float = 600, **claims: object) -> str:
    """A token with these claims."""
    end = int((datetime.now(UTC) + timedelta(seconds=lives)).timestamp())
    return jwt.encode({"sub": "ana@example.com", "id": user_id, "exp": end} | claims, secret, "HS256")


def test_registration_answers_like_a_login(world: World) -> None:
    client = world.client()
    answer = client.post("/auth/register", json=registration("ana@example.com", "NorthCups"))
    assert answer.status_code == 201
    body = answer.json()
    assert list(body) == ["access_token", "token_type", "expires_in", "user"]
    assert (body["token_type"], body["expires_in"]) == ("bearer", 1800)
    assert list(body["user"]) == ["id", "email", "shop_name", "is_active", "created_at"]
    assert body["user"]["email"] == "ana@example.com"
    assert body["user"]["is_active"] is True
    assert datetime.fromisoformat(body["user"]["created_at"]).tzinfo is None
    assert len(body["user"]["created_at"]) == len("2025-09-24T12:00:00.000001")
    logged_in = client.post("/auth/token", data={"username": "Ana@Example.com ", "password": PASSWORD})
    assert logged_in.status_code == 200
    assert logged_in.json()["user"] == body["user"]


def test_a_token_holds_what_the_old_one_held_and_which_login_it_is_of(ana: Caller) -> None:
    claims = jwt.decode(ana.token, SECRET, ["HS256"])
    assert set(claims) == {"sub", "id", "exp", "auth_time", "mark"}
    assert (claims["sub"], claims["id"]) == ("ana@example.com", ana.user["id"])
    assert 1790 < claims["exp"] - datetime.now(UTC).timestamp() <= 1800


def test_me_is_the_user_of_the_login(ana: Caller) -> None:
    assert ana("GET", "/users/me").json() == ana.user


def test_there_are_no_organizations_to_choose_from(ana: Caller) -> None:
    answer = ana("GET", "/api/organizations")
    assert (answer.status_code, answer.json()) == (200, [])


@pytest.mark.parametrize(("email", "password"), [("ana@example.com", "wrong"), ("nobody@example.com", PASSWORD)])
def test_a_wrong_login_does_not_tell_what_was_wrong(ana: Caller, email: str, password: str) -> None:
    answer = ana.client.post("/auth/token", data={"username": email, "password": password})
    assert (answer.status_code, answer.json()) == (401, {"detail": "Was not able to fetch auth from user."})


def test_the_password_is_stored_as_an_argon2_hash(world: World, ana: Caller) -> None:
    with world.engine.connect() as connection:
        stored = connection.execute(select(users.c.hashed_password)).scalar_one()
    assert stored.startswith("$argon2id$")
    assert PASSWORD not in stored


@pytest.mark.parametrize("email", ["ana@example.com", " ANA@example.com"])
def test_a_known_email_gets_no_token_by_registering_again(ana: Caller, email: str) -> None:
    answer = ana.client.post("/auth/register", json=registration(email, "Thief") | {"password": "another password"})
    assert (answer.status_code, answer.json()) == (400, {"detail": "Registration failed"})
    unchanged = ana.client.post("/auth/token", data={"username": "ana@example.com", "password": PASSWORD})
    assert unchanged.status_code == 200


@pytest.mark.parametrize(
    "change", [{"organization_name": ""}, {"organization_name": None}, {"registration_mode": "join"}]
)
def test_registration_fails_without_what_its_mode_needs(world: World, change: dict[str, Any]) -> None:
    answer = world.client().post("/auth/register", json=registration("ana@example.com", "NorthCups") | change)
    assert (answer.status_code, answer.json()) == (400, {"detail": "Registration failed"})


def test_registration_can_be_switched_off(world: World) -> None:
    client = changed(world, disable_registration=True).client()
    assert client.post("/auth/register", json=registration("ana@example.com", "NorthCups")).status_code == 403


def test_registrations_are_limited_per_address_and_across_replicas(world: World) -> None:
    for number in range(5):
        registered(world.client(), f"user{number}@example.com", "NorthCups")
    refused = world.client().post("/auth/register", json=registration("sixth@example.com", "NorthCups"))
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "3600"
    registered(world.client(address="203.0.113.8"), "elsewhere@example.com", "NorthCups")


def test_the_limit_of_registrations_can_be_off(world: World) -> None:
    client = changed(world, registration_rate_limit="off").client()
    for number in range(7):
        registered(client, f"user{number}@example.com", "NorthCups")


def test_guessing_passwords_is_limited_even_for_the_right_one(world: World) -> None:
    client = changed(world, login_rate_limit="3/minute").client()
    registered(client, "ana@example.com", "NorthCups")
    for _ in range(3):
        wrong = client.post("/auth/token", data={"username": "ana@example.com", "password": "guess"})
        assert wrong.status_code == 401
    right = {"username": "ana@example.com", "password": PASSWORD}
    assert client.post("/auth/token", data=right).status_code == 429
    assert world.client(address="203.0.113.8").post("/auth/token", data=right).status_code == 200


def test_logging_in_forgives_the_failed_tries_before_it(world: World) -> None:
    client = changed(world, login_rate_limit="3/minute").client()
    registered(client, "ana@example.com", "NorthCups")
    for password in ("guess", "guess", PASSWORD) * 2:
        status = client.post("/auth/token", data={"username": "ana@example.com", "password": password}).status_code
        assert status == (200 if password == PASSWORD else 401)


def test_shops_of_the_same_name_get_folders_of_their_own(world: World) -> None:
    for number, shop in enumerate(("NorthCups", "northcups", "NORTHCUPS", "North/Cups")):
        registered(world.client(), f"user{number}@example.com", shop)
    with world.engine.connect() as connection:
        folders = connection.execute(select(users.c.shop_folder).order_by(users.c.created_at)).scalars().all()
    assert folders == ["NorthCups", "northcups 2", "NORTHCUPS 3", "North-Cups"]


def test_without_a_token_nobody_is_authenticated(world: World) -> None:
    for headers in ({}, {"Authorization": "Basic YTpi"}, {"Authorization": "Bearer "}):
        answer = world.client().get("/users/me", headers=headers)
        assert (answer.status_code, answer.json()) == (401, {"detail": "Not authenticated"})


def bad_tokens(user_id: str) -> dict[str, str]:
    """Tokens that must not be taken."""
    unsigned = jwt.encode({"sub": "a", "id": user_id, "exp": 9999999999}, None, "none")
    return {
        "garbage": "not-a-token",
        "other secret": forged(user_id, secret="another secret of thirty-two bytes"),
        "expired": forged(user_id, lives=-1),
        "unsigned": unsigned,
        "no end": jwt.encode({"sub": "a", "id": user_id}, SECRET, "HS256"),
        "no id": jwt.encode({"sub": "a", "exp": 9999999999}, SECRET, "HS256"),
        "id is no uuid": forged("7"),
        "id is a number": forged(7),
        "end is text": forged(user_id, exp="tomorrow"),
        "not valid yet": forged(user_id, nbf=9999999999),
        "for another audience": forged(user_id, aud="elsewhere"),
        "unknown user": forged(str(uuid4())),
        "other algorithm": jwt.encode({"sub": "a", "id": user_id, "exp": 9999999999}, SECRET, "HS512"),
    }


@pytest.mark.parametrize("kind", list(bad_tokens("")))
def test_a_bad_token_is_refused_without_being_repeated(ana: Caller, kind: str) -> None:
    token = bad_tokens(ana.user["id"])[kind]
    answer = ana.client.get("/users/me", headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json()) == (401, {"detail": "Could not properly decode token."})
    assert token not in answer.text
    assert "etsy" not in answer.text.lower()


def test_a_closed_account_is_out_at_once(world: World, ana: Caller) -> None:
    with world.engine.begin() as connection:
        connection.execute(update(users).values(is_active=False))
    assert ana("GET", "/users/me").status_code == 401
    login = ana.client.post("/auth/token", data={"username": "ana@example.com", "password": PASSWORD})
    assert (login.status_code, login.json()) == (401, {"detail": "Was not able to fetch auth from user."})
    assert ana("POST", "/auth/refresh-token").status_code == 401


def with_stream(world: World) -> Browser:
    """Calls a world that has a stream beside."""
    router = APIRouter()

    @router.get("/stream")
    def stream(user: User = Depends(stream_user)) -> str:  # noqa: B008
        return user.email

    return world.client(routers=(router,))


def test_a_stream_takes_the_token_from_the_address(world: World, ana: Caller) -> None:
    client = with_stream(world)
    assert client.get("/stream", params={"token": ana.token}).json() == "ana@example.com"
    for token in ("", "garbage", forged(ana.user["id"], lives=-1)):
        answer = client.get("/stream", params={"token": token})
        expected = {"detail": "User ID cameback none. Invalid user token."}
        assert (answer.status_code, answer.json()) == (401, expected)
    assert client.get("/stream").status_code == 401


def test_a_login_can_be_renewed_shortly_after_its_end(ana: Caller) -> None:
    late = forged(ana.user["id"], lives=-50 * 60)
    for sent in (
        {"headers": {"Authorization": f"Bearer {late}"}},
        {"json": {"token": late}},
        {"headers": {"Authorization": f"Bearer {ana.token}"}},
    ):
        answer = ana.client.post("/auth/refresh-token", **sent)
        assert answer.status_code == 200
        assert answer.json()["user"] == ana.user
        fresh = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        assert ana.client.get("/users/me", headers=fresh).status_code == 200


def test_a_login_can_not_be_renewed_late_or_with_a_forged_token(ana: Caller) -> None:
    late = forged(ana.user["id"], lives=-61 * 60)
    stranger = forged(ana.user["id"], secret="another secret of thirty-two bytes")
    for token in (late, stranger, "garbage"):
        answer = ana.client.post("/auth/refresh-token", headers={"Authorization": f"Bearer {token}"})
        assert (answer.status_code, answer.json()) == (401, {"detail": "Could not properly decode token."})
    assert ana.client.post("/auth/refresh-token").json() == {"detail": "Not authenticated"}


@pytest.mark.parametrize(
    "change", [{"email": "nonsense"}, {"password": "short"}, {"shop_name": " "}, {"shop_name": "a\x00b"}]
)
def test_a_refused_registration_says_where_but_not_the_password(world: World, change: dict[str, str]) -> None:
    answer = world.client().post("/auth/register", json=registration("ana@example.com", "NorthCups") | change)
    assert answer.status_code == 422
    (problem,) = answer.json()["detail"]
    assert problem["loc"] == ["body", *change]
    assert PASSWORD not in answer.text
    assert "short" not in answer.text.replace("too_short", "")


def test_a_login_must_be_a_form(world: World) -> None:
    answer = world.client().post("/auth/token", json={"username": "ana@example.com", "password": PASSWORD})
    assert answer.status_code == 422
    assert PASSWORD not in answer.text


def test_a_password_that_an_operator_gave_meanwhile_is_not_changed_back(world: World, ana: Caller) -> None:
    """Or whoever had the account's password keeps it, though the operator was called for that."""

    class Overtaken(Passwords):
        def hash(self, password: str) -> str:
            with world.engine.begin() as connection:
                Users(connection).set_password(UUID(ana.user["id"]), QUICK.hash("the operator's"))
            return super().hash(password)

    hasher = Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1)
    thief = replace(world, resources=replace(world.resources, passwords=Overtaken(hasher))).client()
    change = {"current_password": PASSWORD, "new_password": "another one", "new_password_confirm": "another one"}
    headers = {"Authorization": f"Bearer {ana.token}"}
    assert thief.request("PUT", "/users/change-password", json=change, headers=headers).status_code == 400
    for password, status in (("another one", 401), ("the operator's", 200)):
        login = ana.client.post("/auth/token", data={"username": "ana@example.com", "password": password})
        assert login.status_code == status


def test_a_password_is_changed_by_who_knows_it(ana: Caller) -> None:
    change = {"current_password": PASSWORD, "new_password": "another one", "new_password_confirm": "another one"}
    assert ana("PUT", "/users/change-password", json=change | {"current_password": "guess"}).status_code == 400
    assert ana("PUT", "/users/change-password", json=change | {"new_password_confirm": "a typo"}).status_code == 422
    assert ana("PUT", "/users/change-password", json=change).json()["success"] is True
    for password, status in ((PASSWORD, 401), ("another one", 200)):
        login = ana.client.post("/auth/token", data={"username": "ana@example.com", "password": password})
        assert login.status_code == status


def test_another_password_ends_all_logins_but_the_one_it_answers_with(world: World, ana: Caller) -> None:
    """By header, in a stream's address, and by renewal: whoever has stolen one is out."""
    streams = with_stream(world)
    old = forged(ana.user["id"])
    assert ana.client.get("/users/me", headers={"Authorization": f"Bearer {old}"}).status_code == 200, "without a mark"
    change = {"current_password": PASSWORD, "new_password": "another one", "new_password_confirm": "another one"}
    answer = ana("PUT", "/users/change-password", json=change).json()
    for token in (ana.token, old):
        header = {"Authorization": f"Bearer {token}"}
        assert ana.client.get("/users/me", headers=header).status_code == 401
        assert streams.get("/stream", params={"token": token}).status_code == 401
        assert ana.client.post("/auth/refresh-token", headers=header).status_code == 401
    fresh = {"Authorization": f"Bearer {answer['access_token']}"}
    assert ana.client.get("/users/me", headers=fresh).json() == answer["user"] == ana.user
    assert ana.client.post("/auth/refresh-token", headers=fresh).status_code == 200


def test_the_first_account_may_have_the_folder_that_lies_there_and_the_next_is_told_what_to_do(world: World) -> None:
    with world.engine.begin() as connection:
        note(connection, ["NorthCups", "SouthCups"], complete=True)
    client = world.client()
    registered(client, "ana@example.com", "NorthCups")
    refused = client.post("/auth/register", json=registration("ben@example.com", "southcups"))
    assert refused.status_code == 403
    assert "presswork account add" in refused.json()["detail"]
    again = client.post("/auth/register", json=registration("ben@example.com", "NorthCups"))
    assert again.status_code == 201, "whose folder it is by now is known: this one gets another"


def test_renewing_makes_no_login_younger(ana: Caller) -> None:
    def began(token: str) -> int:
        found: int = jwt.decode(token, options={"verify_signature": False})["auth_time"]
        return found

    long_ago = int(datetime.now(UTC).timestamp()) - 29 * 86400
    renewed = ana.client.post("/auth/refresh-token", json={"token": forged(ana.user["id"], auth_time=long_ago)})
    assert began(renewed.json()["access_token"]) == long_ago
    too_old = forged(ana.user["id"], auth_time=long_ago - 2 * 86400)
    assert ana.client.post("/auth/refresh-token", json={"token": too_old}).status_code == 401


def test_guessing_the_present_password_is_limited(world: World) -> None:
    client = changed(world, login_rate_limit="3/minute").client()
    ana = registered(client, "ana@example.com", "NorthCups")
    change = {"current_password": "guess", "new_password": "another one", "new_password_confirm": "another one"}
    statuses = [ana("PUT", "/users/change-password", json=change).status_code for _ in range(4)]
    assert statuses == [400, 400, 400, 429]
