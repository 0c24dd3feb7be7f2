"""`presswork etsy` on a terminal, over the stand-in."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from sqlalchemy import func, update
from typer.testing import CliRunner, Result

from services.cli import app
from services.etsy_setup.callback import Callback
from services.ingest.catalog.records import TemplateInput
from services.ingest.catalog.templates import Templates
from services.ingest.catalog.users import Users
from services.ingest.sessions.serving.designs import Designs
from services.local.process import free_ports
from services.publisher.etsy.tables import keys
from tests.integration.ingest.catalog.test_catalog_designs import design_of
from tests.integration.publisher.etsy.conftest import TOKEN_KEY, World, consented
from tests.unit.publisher.events import TENANT


@pytest.fixture
def terminal(world: World, tmp_path: Path) -> "Terminal":
    """With an account, and no shop."""
    world.target.connections.forget(TENANT)
    with world.engine.begin() as connection:
        Users(connection).register("ana@example.com", "hash", "NorthCups")
    return Terminal(world, tmp_path)


class Terminal:
    """Runs commands with the settings of the stand-in."""

    def __init__(self, world: World, data: Path) -> None:
        self.world = world
        self.data = data
        (data / "environment").touch()  # as `presswork up` leaves it

    def __call__(self, *words: object, code: int = 0, answers: str = "", **more: str) -> Result:
        settings = self.world.settings
        environment = {
            "DATABASE_URL": self.world.engine.url.render_as_string(hide_password=False),
            "ETSY_KEYSTRING": settings.etsy_keystring,
            "ETSY_SHARED_SECRET": settings.etsy_shared_secret.get_secret_value(),
            "ETSY_TOKEN_KEY": TOKEN_KEY,
            "ETSY_API_URL": settings.etsy_api_url,
            "ETSY_CONSENT_URL": settings.etsy_consent_url,
            "ETSY_REDIRECT_URI": "https://example.com/oauth/redirect",
            **more,
        }
        told = ["etsy", *map(str, words), "--data", str(self.data)]
        result = CliRunner().invoke(app, told, input=answers, env=environment)
        assert result.exit_code == code, f"{result.exit_code}: {result.output}\n{result.exception!r}"
        return result

    def connect(self) -> None:
        """By pasting the address, which has to be asked for first."""
        shown = self("connect", "--paste", code=1).output
        back = consented(re.search(r"http://\S+/oauth/connect\S+", shown)[0], 77)  # type: ignore[index]
        assert "connected to the Etsy shop NorthCups (555)" in self("connect", "--paste", answers=f"{back}\n").output


def test_a_shop_is_connected_set_up_and_disconnected(terminal: Terminal) -> None:
    assert "No Etsy shop is connected" in terminal("status", code=3).output
    assert "no Etsy shop is connected" in terminal("setup", code=1).output
    terminal.connect()

    shown = terminal("setup", "--find", "tumbler").output
    assert "    1101  Standard" in shown
    assert "    1071  Tumblers & Water Glasses > Drinkware > Home & Living" in shown
    assert "Still to be chosen: shipping profile, processing profile" in shown
    refused = terminal("setup", "--shipping-profile", 1, code=1).output
    assert "the shop has no shipping profile 1" in refused
    terminal("setup", "--shipping-profile", 1102, "--readiness-state", 1201)
    done = terminal("setup", "--return-policy", 1301, "--category", 1071, "--partner", 1501).output
    assert "  * 1102  Express" in done
    assert "Everything is chosen" in done

    wrong = terminal("setup", "--template", "Mug", "--shipping-profile", 1101, code=1).output
    assert "no template is called 'Mug'; there are: none" in wrong

    with terminal.world.engine.begin() as connection:
        found = Users(connection).for_login("ana@example.com")
        assert found
        Templates(connection, found[0].id).add(TemplateInput(name="Mug", taxonomy_id=1062))
    assert "    none with the word 'zeppelin'" in terminal("setup", "--find", "zeppelin").output
    for shown in (terminal("setup").output, terminal("status").output):
        own = "The template 'Mug' has its own category, which goes first: 1062 (Mugs > Drinkware > Home & Living)"
        assert own in shown

    told = terminal("status").output
    assert "Set up." in told
    assert "Nothing goes there now: PUBLISHER_TARGET is dry-run." in told
    assert "Nothing goes there" not in terminal("status", PUBLISHER_TARGET="etsy").output
    assert "of 10,000 calls are left today" in told
    assert "Listings get no SKU" in told
    terminal.world.target.limiter.stop(3600)
    assert "Etsy takes no calls for another 60 min" in terminal("status").output
    with terminal.world.engine.begin() as connection:
        connection.execute(update(keys).values(stopped_until=func.now()))
    terminal("disconnect")
    assert "no Etsy shop is connected" in terminal("disconnect", code=1).output


def test_the_browser_may_come_back_to_this_machine(terminal: Terminal) -> None:
    (port,) = free_ports(1)
    redirect_uri = f"http://localhost:{port}/oauth/redirect"
    callback = Callback(redirect_uri)
    with ThreadPoolExecutor(1) as pool:
        heard = pool.submit(callback.wait, 20)
        assert httpx.get(f"http://127.0.0.1:{port}/favicon.ico", trust_env=False).status_code == 404
        assert "Thank you" in httpx.get(f"http://127.0.0.1:{port}/oauth/redirect?code=a&state=b", trust_env=False).text
    assert urlsplit(heard.result() or "").query == "code=a&state=b"


def test_an_address_is_pasted_where_another_command_waits_for_the_browser_and_is_said_why(terminal: Terminal) -> None:
    (port,) = free_ports(1)
    redirect_uri = f"http://localhost:{port}/oauth/redirect"
    callback = Callback(redirect_uri)
    told = terminal("connect", code=1, ETSY_REDIRECT_URI=redirect_uri).output
    callback.wait(0)
    assert "can't be waited for here" in told
    assert "Address already in use" in told
    assert "Paste the whole address" in told


def test_without_keys_it_is_said_as_well_that_nothing_goes_to_etsy(terminal: Terminal) -> None:
    told = terminal("status", code=1, ETSY_KEYSTRING="").output
    assert "ETSY_KEYSTRING must be set" in told
    assert "Nothing goes to Etsy now: PUBLISHER_TARGET is dry-run." in told
    assert "Nothing goes" not in terminal("status", code=1, ETSY_KEYSTRING="", PUBLISHER_TARGET="etsy").output


def test_an_address_elsewhere_is_not_listened_at() -> None:
    with pytest.raises(OSError, match="does not lead to this machine"):
        Callback("https://example.com/oauth/redirect")


def test_drafts_are_published_under_a_cap_and_after_a_question(terminal: Terminal, world: World) -> None:
    terminal.connect()
    terminal("setup", "--shipping-profile", 1101, "--readiness-state", 1201, "--return-policy", 1301)
    tenant = world.one("SELECT tenant_id FROM publisher.etsy_connections")
    answers = [world.publish(world.event(tenant_id=tenant, mockup_id=mockup)) for mockup in (tenant, TENANT)]
    assert [answer.state for answer in answers] == ["draft", "draft"]

    dear = terminal("activate", "--cap", 0.3, code=1).output
    assert "2 listings = 0.40 USD is more than the cap of 0.30 USD: nothing was published" in dear
    terminal("activate", "--cap", 1, answers="n\n", code=1)
    assert "Nothing was published. Nobody answered: --yes" in terminal("activate", "--cap", 1, code=1).output
    assert world.etsy.fees_usd == 0

    done = terminal("activate", "--cap", 1, answers="y\n").output
    assert "2 listings = 0.40 USD, cap 1.00 USD" in done
    urls = re.findall(r"published (http\S+)", done)
    assert [httpx.get(url, trust_env=False).status_code for url in urls] == [200, 200]
    assert {listing.state for listing in world.etsy.listings.values()} == {"active"}
    assert world.etsy.fees_usd == pytest.approx(0.4)
    terminal("activate", "--cap", 1, "--yes", code=3)
    assert world.publish(world.event(tenant_id=tenant, mockup_id=tenant)).state == "active"


def test_drafts_of_deleted_designs_are_left_out(terminal: Terminal, world: World) -> None:
    terminal.connect()
    terminal("setup", "--shipping-profile", 1101, "--readiness-state", 1201, "--return-policy", 1301)
    with world.engine.begin() as connection:
        (user,) = Users(connection).everybody()
    designs = [design_of(world.engine, user.id, number=number) for number in (100, 101)]
    rose, lily = (world.publish(world.event(tenant_id=user.id, item_id=each, mockup_id=each)) for each in designs)
    with world.engine.begin() as connection:
        Designs(connection, user.id, "").remove(designs[0])

    done = terminal("activate", "--cap", 0.2, "--yes").output

    assert "1 listing = 0.20 USD, cap 0.20 USD; of deleted designs, and left out: 1 draft" in done
    assert f"{lily.listing_id} published" in done
    assert rose.listing_id not in done
    assert world.etsy.fees_usd == pytest.approx(0.2)
    assert "0 listings = 0.00 USD" in terminal("activate", "--cap", 1, "--yes", code=3).output


def test_a_draft_that_was_published_by_hand_is_not_renewed(terminal: Terminal, world: World) -> None:
    terminal.connect()
    terminal("setup", "--shipping-profile", 1101, "--readiness-state", 1201, "--return-policy", 1301)
    world.publish(world.event(tenant_id=world.one("SELECT tenant_id FROM publisher.etsy_connections")))
    world.listing().state = "sold_out"

    told = terminal("activate", "--cap", 1, "--yes").stdout

    assert "published before, at no fee now: http" in told
    assert (world.listing().state, world.etsy.fees_usd) == ("sold_out", 0)
    terminal("activate", "--cap", 1, "--yes", code=3)


def test_a_draft_that_etsy_will_not_publish_stays_one_and_is_told(terminal: Terminal, world: World) -> None:
    terminal.connect()
    terminal("setup", "--shipping-profile", 1101, "--readiness-state", 1201)
    tenant = world.one("SELECT tenant_id FROM publisher.etsy_connections")
    warned = world.publish(world.event(tenant_id=tenant))
    assert any("no return policy" in warning for warning in warned.warnings)

    told = terminal("activate", "--cap", 1, "--yes", code=1).output

    assert "A return_policy_id is required" in told
    assert world.listing().state == "draft"


def test_a_plan_is_told_before_anything_is_called(terminal: Terminal, world: World) -> None:
    terminal.connect()
    calls = len(world.etsy.log)

    told = terminal("plan", "--designs", 500, "--email", "ana@example.com").output

    assert re.fullmatch(
        r"500 designs: 4,000 calls of 9,9\d\d left today, at least \d+ minutes, drafts free, 100 USD when activated\n",
        told,
    )
    assert len(world.etsy.log) == calls

    terminal("setup", "--skus", "--email", "ana@example.com")
    told = terminal("plan", "--designs", 500, "--email", "ana@example.com").output
    assert told.startswith("500 designs: 4,500 calls"), "each listing gets a SKU, by a call of its own"


def test_what_is_not_set_is_named(terminal: Terminal) -> None:
    assert "ETSY_KEYSTRING must be set" in terminal("status", code=1, ETSY_KEYSTRING="").output
    assert "ETSY_TOKEN_KEY must be set" in terminal("status", code=1, ETSY_TOKEN_KEY="").output
    assert "no account has the e-mail x@y.z" in terminal("status", "--email", "x@y.z", code=1).output


def test_a_database_without_our_tables_is_said_to_be_that(terminal: Terminal) -> None:
    other = terminal.world.engine.url.set(database="postgres").render_as_string(hide_password=False)
    told = terminal("status", code=4, DATABASE_URL=other).stderr
    assert "The database has other tables than this version: presswork init" in told


def test_a_plan_is_for_the_only_account_there_is(terminal: Terminal, world: World) -> None:
    terminal.connect()
    terminal("setup", "--skus")
    assert terminal("plan", "--designs", 500).output.startswith("500 designs: 4,500 calls")
    with world.engine.begin() as connection:
        Users(connection).register("bea@example.com", "hash", "SouthCups")
    assert terminal("plan", "--designs", 500).output.startswith("500 designs: 4,000 calls"), "nobody's in particular"


def test_the_shop_of_a_closed_account_can_be_let_go_when_the_account_is_named(terminal: Terminal, world: World) -> None:
    terminal.connect()
    with world.engine.begin() as connection:
        Users(connection).set_active("ana@example.com", active=False)
    assert "no account may log in" in terminal("status", code=1).output
    terminal("disconnect", "--email", "ana@example.com")
    assert "No Etsy shop is connected" in terminal("status", "--email", "ana@example.com", code=3).output


def test_every_idle_connection_is_kept_alive_by_a_daily_job(terminal: Terminal, world: World) -> None:
    terminal.connect()
    terminal("refresh")
    world.etsy.refresh.clear()
    terminal("refresh")
    with world.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE publisher.etsy_connections SET refreshed_at = now() - interval '31 days'")

    assert "NorthCups: Etsy does not accept this connection any more" in terminal("refresh", code=1).output


@pytest.fixture(autouse=True)
def _one_rate(world: World) -> Iterator[None]:
    """The stand-in has named its limit by now, so that commands need not be slow."""
    yield
    assert world.target.limiter.quota().per_second == 10_000
