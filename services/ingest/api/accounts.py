"""Registering, logging in, and who one is."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, HTTPException, Request
from pydantic import AfterValidator, Field

from services.ingest.api.identity import BAD_TOKEN, CHALLENGE, NO_TOKEN, Bearer, Caller, holder
from services.ingest.api.resources import Resources, Using
from services.ingest.catalog.fields import Email, Name, Text, Word, storable
from services.ingest.catalog.limits import Attempts, Rate
from services.ingest.catalog.records import Record
from services.ingest.catalog.tokens import BadToken
from services.ingest.catalog.users import EmailTaken, FolderLies, User, Users, email_key

routes = APIRouter(tags=["accounts"])

FOLDER_LIES = (
    "A folder {} lies on the NAS already, and is no account's. If it is yours, whoever runs this server can open your "
    "account with it: presswork account add EMAIL SHOP. If not, register with another shop name."
)
LONGEST_PASSWORD = 1024  # hashing takes time in proportion
Password = Annotated[str, Field(max_length=LONGEST_PASSWORD)]
NewPassword = Annotated[str, Field(min_length=8, max_length=LONGEST_PASSWORD), AfterValidator(storable)]


class Registration(Record):
    """What the registration page sends."""

    email: Email
    password: NewPassword
    shop_name: Name
    registration_mode: Literal["create", "join"] | None = None
    organization_name: Word | None = None
    invite_code: Word | None = None


class PasswordChange(Record):
    """What the account page sends."""

    current_password: Password
    new_password: NewPassword
    new_password_confirm: Password


class Renewal(Record):
    """An old token, for clients that send it in the body."""

    token: Text | None = None
    access_token: Text | None = None


@routes.post("/auth/token")
def log_in(
    request: Request, using: Using, username: Annotated[Text, Form()], password: Annotated[Password, Form()]
) -> dict[str, Any]:
    """Trade e-mail and password for a token."""
    subject = f"{_address(request)} {email_key(username)}"
    _count(using, "login", subject, using.settings.login_rate_limit)
    with using.transaction() as connection:
        found = Users(connection).for_login(username)
    user, stored = found or (None, None)
    if not using.passwords.matches(password, stored) or user is None or stored is None:
        raise HTTPException(401, "Was not able to fetch auth from user.", CHALLENGE)
    with using.transaction() as connection:
        Attempts(connection).forgive("login", subject)
    return _login(using, user, stored)


@routes.post("/auth/register", status_code=201)
def register(request: Request, using: Using, given: Registration) -> dict[str, Any]:
    """Open an account and log in. Clients know 400 for an e-mail that is taken, so that this tells who has an account:
    the limit of registrations per address is what slows those down who ask for many.
    """
    if using.settings.disable_registration:
        raise HTTPException(403, "Registration is disabled on this server.")
    _count(using, "registration", _address(request), using.settings.registration_rate_limit)
    # There are no organizations to join or to name here, but the page asks, and old clients rely on the check.
    nameless = given.registration_mode == "create" and not given.organization_name
    if nameless or given.registration_mode == "join":
        raise HTTPException(400, "Registration failed")
    hashed = using.passwords.hash(given.password)
    try:
        with using.transaction() as connection:
            user = Users(connection).register(given.email, hashed, given.shop_name)
    except EmailTaken as error:
        raise HTTPException(400, "Registration failed") from error
    except FolderLies as error:
        raise HTTPException(403, FOLDER_LIES.format(given.shop_name)) from error
    return _login(using, user, hashed)


@routes.post("/auth/refresh-token")
def renew(using: Using, sent: Bearer, given: Renewal | None = None) -> dict[str, Any]:
    """A new token for one that is valid or ended a short while ago, so that a long upload outlives its login.

    For 30 days from the login on, and until the password is changed.
    """
    token = sent or (given and (given.token or given.access_token))
    if not token:
        raise HTTPException(401, NO_TOKEN, CHALLENGE)
    try:
        login = using.tokens.read_for_renewal(token, datetime.now(UTC))
    except BadToken as error:
        raise HTTPException(401, BAD_TOKEN, CHALLENGE) from error
    found = holder(using, login)
    if found is None:
        raise HTTPException(401, BAD_TOKEN, CHALLENGE)
    return _login(using, *found, since=login.since)


@routes.get("/users/me")
def me(user: Caller) -> dict[str, Any]:
    """The calling account."""
    return _profile(user)


@routes.put("/users/change-password")
def change_password(using: Using, user: Caller, given: PasswordChange) -> dict[str, Any]:
    """Another password, for who knows the present one. All logins by that are over; a new one is in the answer."""
    if given.new_password != given.new_password_confirm:
        raise HTTPException(422, "The new password and its confirmation differ; type it twice.")
    subject = f"password {user.id}"
    _count(using, "login", subject, using.settings.login_rate_limit)
    with using.transaction() as connection:
        found = Users(connection).for_login(user.email)
    wrong = HTTPException(400, "The current password is wrong.")  # not 401: that would log the user out
    if found is None or not using.passwords.matches(given.current_password, found[1]):
        raise wrong
    hashed = using.passwords.hash(given.new_password)
    with using.transaction() as connection:
        if not Users(connection).set_password(user.id, hashed, instead_of=found[1]):
            raise wrong  # an operator gave the account another one meanwhile: that one must hold
        Attempts(connection).forgive("login", subject)
    return {"success": True, "message": "Password changed", **_login(using, user, hashed)}


@routes.get("/api/organizations")
def organizations(user: Caller) -> list[dict[str, Any]]:
    """None: the client then goes on without asking for one."""
    del user
    return []


def _login(using: Resources, user: User, hashed: str, since: datetime | None = None) -> dict[str, Any]:
    return {
        "access_token": using.tokens.issue(user.id, user.email, hashed, datetime.now(UTC), since),
        "token_type": "bearer",
        "expires_in": int(using.tokens.lifetime.total_seconds()),
        "user": _profile(user),
    }


def _profile(user: User) -> dict[str, Any]:
    return {
        "id": str(user.id),
        "email": user.email,
        "shop_name": user.shop_name,
        "is_active": user.is_active,
        # UTC without saying so, and always with six digits: as the old system wrote this one time
        "created_at": user.created_at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds"),
    }


def _address(request: Request) -> str:
    return request.client.host if request.client else "unknown"


def _count(using: Resources, kind: str, subject: str, limit: Rate | None) -> None:
    if limit is None:
        return
    with using.transaction() as connection:
        allowed = Attempts(connection).take(kind, subject, limit, datetime.now(UTC))
    if not allowed:
        wait = f"Too many attempts ({limit.times} in {limit.seconds} s are allowed); try again later."
        raise HTTPException(429, wait, {"Retry-After": str(limit.seconds)})
