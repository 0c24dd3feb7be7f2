"""Who calls: the account behind the token, looked up at every call, so that a closed account is out at once."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Header, HTTPException, Query
from fastapi.security import OAuth2PasswordBearer
from sqlalchemy import exists, select

from services.ingest.api.resources import Resources, Using
from services.ingest.catalog.tokens import BadToken, Login
from services.ingest.catalog.users import User, Users
from services.ingest.sessions.tables import sessions

# Clients tell a lost login from a lost shop connection by a word that must not stand in these texts.
NO_TOKEN = "Not authenticated"  # noqa: S105
BAD_TOKEN = "Could not properly decode token."  # noqa: S105 - and the token itself is not repeated
BAD_STREAM_TOKEN = "User ID cameback none. Invalid user token."  # noqa: S105 - the old system's words
NO_OPERATOR = "This is for operators. Whoever runs this server can make you one: presswork operator add EMAIL."
ONLY_VIEWER = "You may look, and change nothing. Whoever runs this server can let you: presswork operator add EMAIL."
CHALLENGE = {"WWW-Authenticate": "Bearer"}

Authorization = Annotated[str | None, Header(include_in_schema=False)]
# Read below, in our own words: this is for the documentation page, which logs in with it and tries the calls.
Documented = Annotated[str | None, Depends(OAuth2PasswordBearer("auth/token", auto_error=False))]


def bearer(authorization: Authorization = None, documented: Documented = None) -> str | None:
    """The token of the Authorization header, if there is one."""
    del documented
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


Bearer = Annotated[str | None, Depends(bearer)]


def current_user(using: Using, token: Bearer) -> User:
    """The account whose token is in the Authorization header. 401 without one."""
    if token is None:
        raise HTTPException(401, NO_TOKEN, CHALLENGE)
    user = user_of(using, token)
    if user is None:
        raise HTTPException(401, BAD_TOKEN, CHALLENGE)
    return user


def uploading_user(using: Using, token: Bearer) -> User:
    """As `current_user`, for calls that go on with an upload: it is authorised when it begins, its client waits for
    minutes in each call, and does not renew the login.
    """
    user = (user_of(using, token) or _uploader(using, token)) if token else None
    return user or current_user(using, token)


def stream_user(using: Using, token: Annotated[str, Query()] = "") -> User:
    """The account whose token is in the query: browsers' event streams can't send headers. 401 without one.

    As `uploading_user`: who is cut off from an upload may come back.
    """
    user = user_of(using, token) or _uploader(using, token)
    if user is None:
        raise HTTPException(401, BAD_STREAM_TOKEN, CHALLENGE)
    return user


def user_of(using: Resources, token: str) -> User | None:
    """The active account whose token this is; None if the token is bad, of an earlier password, or the account gone."""
    try:
        login = using.tokens.read(token, datetime.now(UTC))
    except BadToken:
        return None
    found = holder(using, login)
    return found[0] if found else None


def _uploader(using: Resources, token: str) -> User | None:
    """As `user_of`, of a token that has ended and can be renewed, if an upload began between its login and its end."""
    try:
        login = using.tokens.read_for_renewal(token, datetime.now(UTC))
    except BadToken:
        return None
    found = holder(using, login)
    begun = sessions.c.announced_at.between(login.since, login.end)
    with using.transaction() as connection:
        has_upload = connection.execute(select(exists().where(sessions.c.user_id == login.user_id, begun))).scalar_one()
    return found[0] if found and has_upload else None


def holder(using: Resources, login: Login) -> tuple[User, str] | None:
    """The active account that has logged in so, and the hash of its password; None if it has another one since."""
    with using.transaction() as connection:
        found = Users(connection).for_token(login.user_id)
    if found is None or not using.tokens.is_of(login, *found[1:]):
        return None
    return found[:2]


Caller = Annotated[User, Depends(current_user)]
"""A parameter of this type gets the calling account, or the call ends with 401."""

Uploader = Annotated[User, Depends(uploading_user)]
"""As `Caller`, also of a login that has ended since the upload began."""


def operator(user: Caller) -> User:
    """The calling account, if it is an operator's now, whatever its token is from. 403 for viewers and sellers."""
    if not user.operates:
        raise HTTPException(403, ONLY_VIEWER if user.looks else NO_OPERATOR)
    return user


def viewer(user: Caller) -> User:
    """The calling account, if it may look at what operators look at. 403 for sellers."""
    if not user.looks:
        raise HTTPException(403, NO_OPERATOR)
    return user


Viewer = Annotated[User, Depends(viewer)]
"""A parameter of this type gets an account that may look, or the call ends with 401 or 403."""


Operator = Annotated[User, Depends(operator)]
"""A parameter of this type gets the calling operator, or the call ends with 401 or 403."""
