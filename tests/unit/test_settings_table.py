"""The settings' table, and the two files that are made from it."""

from pathlib import Path

import pytest

from services.settings_table import COMPOSE, FIXED_BY_COMPOSE, SERVICES, env_example, groups, markdown, settings_of

ROOT = Path(__file__).parents[2]
SECRET = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    ("file", "text", "verb"),
    [("deploy/.env.example", env_example(), "env"), ("docs/settings.md", markdown(), "markdown")],
    ids=["env", "markdown"],
)
def test_the_file_says_what_the_classes_say(file: str, text: str, verb: str) -> None:
    again = f"{file} is not in step with the settings: python -m services.settings_table {verb} > {file}"
    assert (ROOT / file).read_text() == text, again


@pytest.mark.parametrize("service", SERVICES)
def test_a_default_as_it_is_written_is_read_as_the_same_default(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    written = {setting.name: setting.default for group in groups() for setting in group.settings}
    for name in written:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("JWT_SECRET_KEY", SECRET)
    unset = settings_of(service)()
    for name, default in written.items():
        if default is not None:
            monkeypatch.setenv(name, default)
    assert settings_of(service)() == unset


def test_services_that_share_a_setting_share_its_default() -> None:
    defaults: dict[str, set[str | None]] = {}
    for group in groups():
        for setting in group.settings:
            defaults.setdefault(setting.name, set()).add(setting.default)
    assert {name: found for name, found in defaults.items() if len(found) > 1} == {}


def test_every_setting_of_every_service_is_in_the_table() -> None:
    told = {setting.name for group in groups() for setting in group.settings}
    read = {name.upper() for service in SERVICES for name in settings_of(service).model_fields}
    assert told == read
    assert set(FIXED_BY_COMPOSE) <= read


def test_every_setting_says_what_it_means() -> None:
    silent = [setting.name for group in groups() for setting in group.settings if not setting.meaning.strip()]
    assert silent == []


def test_the_example_asks_for_what_has_no_default_and_for_nothing_else() -> None:
    asked = [line.removesuffix("=") for line in env_example().splitlines() if line and not line.startswith("#")]
    required = [setting.name for group in groups() for setting in group.settings if setting.default is None]
    assert "JWT_SECRET_KEY" in required
    assert asked == [name for name, default, _ in COMPOSE if not default] + required
