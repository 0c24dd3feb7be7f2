"""Logins and signed links, without a clock."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.catalog.links import FileLinks
from services.ingest.catalog.tokens import BadToken, Tokens

NOW = datetime(2025, 9, 24, 12, tzinfo=UTC)
SECRET = b"a secret that is only used in these tests"
TOKENS = Tokens(SECRET, timedelta(minutes=30), timedelta(minutes=60))
USER = uuid4()


def test_a_token_names_its_user_until_it_ends() -> None:
    token = TOKENS.issue(USER, "ana@example.com", NOW)
    assert TOKENS.read(token, NOW) == USER
    assert TOKENS.read(token, NOW + timedelta(minutes=29, seconds=59)) == USER
    with pytest.raises(BadToken, match="expired"):
        TOKENS.read(token, NOW + timedelta(minutes=30))


def test_an_ended_token_can_be_renewed_within_the_grace_only() -> None:
    token = TOKENS.issue(USER, "ana@example.com", NOW)
    assert TOKENS.read_for_renewal(token, NOW + timedelta(minutes=89)) == USER
    with pytest.raises(BadToken, match="expired"):
        TOKENS.read_for_renewal(token, NOW + timedelta(minutes=90))


@given(st.text(max_size=80))
def test_no_text_but_a_token_is_one(text: str) -> None:
    with pytest.raises(BadToken):
        TOKENS.read(text, NOW)


@given(st.data())
def test_a_token_with_one_other_character_is_refused(data: st.DataObject) -> None:
    token = TOKENS.issue(USER, "ana@example.com", NOW)
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
