"""Logins and signed links, without a clock."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import uuid4

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.catalog.links import FileLinks
from services.ingest.catalog.tokens import RENEWED_FOR, BadToken, Tokens

NOW = datetime(2025, 9, 24, 12, tzinfo=UTC)
SECRET = b"a secret that is only used in these tests"
TOKENS = Tokens(SECRET, timedelta(minutes=30), timedelta(minutes=60))
USER = uuid4()
STORED = "$argon2id$of the password"


def test_a_token_names_its_user_until_it_ends() -> None:
    token = TOKENS.issue(USER, "ana@example.com", STORED, NOW)
    assert TOKENS.read(token, NOW).user_id == USER
    assert TOKENS.read(token, NOW + timedelta(minutes=29, seconds=59)).user_id == USER
    with pytest.raises(BadToken, match="expired"):
        TOKENS.read(token, NOW + timedelta(minutes=30))


def test_an_ended_token_can_be_renewed_within_the_grace_only() -> None:
    token = TOKENS.issue(USER, "ana@example.com", STORED, NOW)
    assert TOKENS.read_for_renewal(token, NOW + timedelta(minutes=89)).user_id == USER
    with pytest.raises(BadToken, match="expired"):
        TOKENS.read_for_renewal(token, NOW + timedelta(minutes=90))


def test_a_login_is_renewed_for_a_month_whatever_tokens_it_had() -> None:
    late = NOW + RENEWED_FOR
    token = TOKENS.issue(USER, "ana@example.com", STORED, late - timedelta(minutes=1), NOW)
    assert TOKENS.read_for_renewal(token, late).since == NOW
    with pytest.raises(BadToken, match="too old"):
        TOKENS.read_for_renewal(token, late + timedelta(seconds=1))
    assert TOKENS.read(token, late + timedelta(minutes=28)).user_id == USER, "what was given is good to its end"


def test_a_token_counts_with_the_password_that_it_is_from() -> None:
    login = TOKENS.read(TOKENS.issue(USER, "ana@example.com", STORED, NOW), NOW)
    assert TOKENS.is_of(login, STORED, NOW + timedelta(hours=1)), "the account was made an operator's, for example"
    assert not TOKENS.is_of(login, STORED + "x", None)


def test_a_token_from_before_there_were_marks_counts_until_its_account_is_changed() -> None:
    end = int((NOW + TOKENS.lifetime).timestamp())
    old = jwt.encode({"sub": "ana@example.com", "id": str(USER), "exp": end}, SECRET, "HS256")
    login = TOKENS.read_for_renewal(old, NOW)
    assert login.since == NOW
    assert TOKENS.is_of(login, STORED, None)
    assert TOKENS.is_of(login, STORED, NOW)
    assert not TOKENS.is_of(login, STORED, NOW + timedelta(seconds=1))


@given(st.text(max_size=80))
def test_no_text_but_a_token_is_one(text: str) -> None:
    with pytest.raises(BadToken):
        TOKENS.read(text, NOW)


@given(st.data())
def test_a_token_with_one_other_character_is_refused(data: st.DataObject) -> None:
    token = TOKENS.issue(USER, "ana@example.com", STORED, NOW)
    place = data.draw(st.integers(0, len(token) - 2))  # the last one holds bits that no byte uses
    other = data.draw(st.sampled_from("abcXYZ019-_.").filter(lambda character: character != token[place]))
    with pytest.raises(BadToken):
        TOKENS.read(token[:place] + other + token[place + 1 :], NOW)


LINKS = FileLinks(SECRET, 60)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)


@given(TEXT, TEXT)
def test_a_link_opens_what_it_was_made_for(shop: str, path: str) -> None:
    url = urlsplit(LINKS.url("https://api.example.com/", shop, path, NOW))
    assert unquote(url.path) == f"/designs/nas-file/{shop}/{path}"
    query = {name: values[0] for name, values in parse_qs(url.query).items()}
    expires, signature = int(query["expires"]), query["signature"]
    assert LINKS.valid(shop, path, expires, signature, NOW)
    assert not LINKS.valid(shop, path, expires, signature, NOW + timedelta(seconds=60))
    assert not LINKS.valid(shop, path, expires + 1, signature, NOW)
    assert not LINKS.valid(shop + "x", path, expires, signature, NOW)
    assert not FileLinks(b"another secret of thirty-two bytes", 60).valid(shop, path, expires, signature, NOW)


def test_shop_and_path_can_not_be_cut_at_another_place() -> None:
    url = urlsplit(LINKS.url("", "a", "b/c.png", NOW))
    query = {name: values[0] for name, values in parse_qs(url.query).items()}
    assert not LINKS.valid("a/b", "c.png", int(query["expires"]), query["signature"], NOW)
