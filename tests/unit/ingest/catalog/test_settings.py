"""The settings of ingest as the environment gives them."""

import pytest
from pydantic import ValidationError

from services.ingest.catalog.limits import Rate
from services.ingest.settings import Settings

SECRET = "a secret that is only used in these tests"


def read(monkeypatch: pytest.MonkeyPatch, **environment: str) -> Settings:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return Settings()


@pytest.mark.parametrize("secret", [None, "", "supersecretkey", "x" * 31])
def test_without_a_long_secret_it_refuses_to_start_and_says_how_to_make_one(
    monkeypatch: pytest.MonkeyPatch, secret: str | None
) -> None:
    monkeypatch.delenv("JWT_SECRET_KEY", raising=False)
    with pytest.raises(
        ValidationError, match=r"JWT_SECRET_KEY must be at least 32 random bytes; make one with"
    ) as error:
        read(monkeypatch, **({"JWT_SECRET_KEY": secret} if secret is not None else {}))
    assert not secret or secret not in str(error.value)


def test_the_secret_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(monkeypatch, JWT_SECRET_KEY=SECRET)
    assert SECRET not in repr(settings)
    assert SECRET not in settings.model_dump_json()


def test_the_old_systems_names_and_defaults_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(monkeypatch, JWT_SECRET_KEY=SECRET)
    assert settings.user_login_access_token_expire_minutes == 30
    assert (settings.host, settings.port) == ("0.0.0.0", 3003)  # noqa: S104
    assert settings.nas_base_path == "/share/Graphics"
    assert settings.registration_rate_limit == Rate(5, 3600)
    changed = read(monkeypatch, USER_LOGIN_ACCESS_TOKEN_EXPIRE_MINUTES="300", DISABLE_REGISTRATION="true")
    assert changed.user_login_access_token_expire_minutes == 300
    assert changed.disable_registration is True


def test_only_one_way_of_signing_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch, JWT_SECRET_KEY=SECRET, JWT_ALGORITHM="HS256").jwt_algorithm == "HS256"
    with pytest.raises(ValidationError):
        read(monkeypatch, JWT_ALGORITHM="none")


@pytest.mark.parametrize(
    ("words", "expected"),
    [("5/hour", Rate(5, 3600)), ("10 / minutes", Rate(10, 60)), ("1/DAY", Rate(1, 86400)), ("off", None), ("", None)],
)
def test_limits_are_written_as_words(monkeypatch: pytest.MonkeyPatch, words: str, expected: Rate | None) -> None:
    assert read(monkeypatch, JWT_SECRET_KEY=SECRET, LOGIN_RATE_LIMIT=words).login_rate_limit == expected


@pytest.mark.parametrize("words", ["5", "0/hour", "5/fortnight", "-1/hour", "many"])
def test_other_limits_are_refused_with_an_example(monkeypatch: pytest.MonkeyPatch, words: str) -> None:
    with pytest.raises(ValidationError, match="write it as 5/hour"):
        read(monkeypatch, JWT_SECRET_KEY=SECRET, REGISTRATION_RATE_LIMIT=words)


def test_origins_are_the_local_ones_the_frontend_and_the_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(
        monkeypatch,
        JWT_SECRET_KEY=SECRET,
        FRONTEND_URL="https://app.example.com/",
        CORS_ORIGINS="https://a.example, https://b.example/ ,",
    )
    assert settings.allowed_origins == (
        "http://localhost:3000",
        "http://127.0.0.1:3000",
        "https://app.example.com",
        "https://a.example",
        "https://b.example",
    )
