"""Who may log in with which hash: ours, and those that the old system made."""

import bcrypt
import pytest
from pwdlib.hashers.argon2 import Argon2Hasher

from services.ingest.catalog.passwords import NO_PASSWORD, Passwords, is_usable

OLD = bcrypt.hashpw(b"correct horse", bcrypt.gensalt(4)).decode()


@pytest.fixture(scope="module")
def passwords() -> Passwords:
    return Passwords(Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.mark.parametrize("variant", ["2a", "2b", "2y"])
def test_the_old_systems_hashes_let_their_owners_in(passwords: Passwords, variant: str) -> None:
    stored = OLD.replace("$2b$", f"${variant}$")
    assert is_usable(stored)
    assert passwords.matches("correct horse", stored)
    assert not passwords.matches("correct horses", stored)


def test_of_a_long_password_the_old_system_looked_at_72_bytes(passwords: Passwords) -> None:
    stored = bcrypt.hashpw(b"p" * 72, bcrypt.gensalt(4)).decode()
    assert passwords.matches("p" * 100, stored)
    assert not passwords.matches("p" * 71, stored)


def test_new_hashes_are_argon2_and_no_password_matches_none(passwords: Passwords) -> None:
    assert passwords.hash("new").startswith("$argon2id$")
    assert not passwords.matches("!", NO_PASSWORD)
    assert not is_usable(NO_PASSWORD)
    assert not is_usable("5f4dcc3b5aa765d61d8327deb882cf99")
