"""An old system with all its oddities is copied, once and again, and nothing that anybody did here is undone."""

import hashlib
import re
from pathlib import Path
from uuid import uuid4

import pytest
from PIL import Image
from sqlalchemy import Engine, func, insert, select, text

from services.dedup.records.old_designs import LEGACY, UNUSABLE
from services.dedup.tables import hashes
from services.ingest.catalog.mockups import Mockups
from services.ingest.catalog.passwords import Passwords
from services.ingest.catalog.print_sizes import Canvases
from services.ingest.catalog.records import TemplateInput
from services.ingest.catalog.templates import Templates
from services.ingest.catalog.users import User, Users
from services.ingest.sessions.intake.print_files import Prints
from services.ingest.sessions.lifecycle.records import Wanted
from services.ingest.sessions.serving.designs import DesignChanges, Designs
from services.ingest.sessions.serving.store import Sessions
from services.ingest.sessions.tables import items, outbox, sessions
from services.storage.tables import counters
from shared.blobs import Blobs
from shared.contracts import ListingTemplate, MockupsRequested, ShopScanRequested, StoreFile
from shared.nas import PathNas
from tests.images import saved
from tests.integration.legacy.conftest import Import
from tests.integration.legacy.old import PASSWORD, Old, old_id
from tests.integration.scan.works import Works
from tests.seller import SQUARE, artwork

BASE = "/share/Graphics/NorthCups"
CUPS = f"{BASE}/UVDTF 16oz"
ROSE, TULIP, DAISY = map(artwork, (1, 2, 3))


@pytest.fixture
def nas(environment: dict[str, str]) -> Path:
    return Path(environment["NAS_URL"])


def lay(folder: Path, path: str, content: bytes) -> None:
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_bytes(content)


def user(engine: Engine, email: str) -> User:
    with engine.connect() as connection:
        found = Users(connection).for_login(email)
    assert found is not None
    return found[0]


def count(engine: Engine, table: str) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())  # noqa: S608


def photograph() -> bytes:
    return saved(Image.new("RGB", (800, 600), "white"))


def fill(old: Old) -> None:
    """Ana has everything, Bo next to nothing, and some rows belong to nobody."""
    ana = old.user("ana", "ana@example.com", role="admin")
    old.user("twin", "Ana@Example.com", shop_name="Other")
    old.user("bo", "bo@example.com", shop_name=None, hashed_password="md5$1$2", is_active=False)
    old.user("none", "no e-mail")
    cups = old.template("UVDTF 16oz", ana, production_partner_ids=[5, 6], quantity=-1)
    old.template("Café Größe", ana)
    nameless = old.template("nameless", ana, name=None)
    old.template("orphan", old_id("nobody"))
    size = {"width_inches": 1.5, "height_inches": 1.0}
    canvas = old.add("canvas_configs", "canvas", product_template_id=cups, name="UVDTF 16oz", **size)
    old.add("canvas_configs", "lost canvas", product_template_id=old_id("deleted"), name="Lost", **size)
    old.add("canvas_configs", "no width", product_template_id=cups, name="Flat", width_inches=None, height_inches=1.0)
    old.add("size_configs", "size", product_template_id=cups, canvas_id=canvas, name=None, is_active=False, **size)
    old.add("size_configs", "lost size", product_template_id=cups, canvas_id=old_id("gone"), name="Lost", **size)
    group = old.add("mockups", "group", name="Glass cup", user_id=ana, product_template_id=cups, starting_name=104)
    old.add("mockups", "lost group", name="Lost", user_id=ana, product_template_id=old_id("deleted"))
    old.add("mockups", "bare group", name=None, user_id=ana, product_template_id=nameless)
    mark = f"{BASE}/Mockups/BaseMockups/Watermarks/mark.png"
    for number, folder in enumerate((f"{BASE}/Mockups/BaseMockups/UVDTF 16oz", "/srv/old/NorthCups/own", BASE)):
        name = f"mockup_{group}_{number}.png"
        facts = {"mockups_id": group, "filename": name, "file_path": f"{folder}/{name}", "watermark_path": mark}
        old.add("mockup_images", f"image {number}", image_type="UVDTF 16oz", **facts)
    area = {"masks": [SQUARE], "points": [SQUARE]}
    old.add("mockup_mask_data", "mask", mockup_image_id=old_id("image 0"), is_cropped=None, **area)
    old.add("mockup_mask_data", "flat", mockup_image_id=old_id("image 1"), masks=[SQUARE[:2]], points=[])
    old.add("mockup_mask_data", "lost mask", mockup_image_id=old_id("gone"), **area)
    old.run("INSERT INTO third_party_oauth_tokens VALUES (:id, 'secret', 'secret', now())", id=ana)


def fill_designs(old: Old) -> None:
    """Of Ana: in use and not, at odd places, without names, with odd hashes, two with one number."""
    ana = old_id("ana")
    canvas = old_id("canvas")
    old.design("UV 100 UVDTF_16oz_100.png", ana, f"{CUPS}/UV 100 UVDTF_16oz_100.png", canvas_config_id=canvas)
    old.design("UV 101 UVDTF_16oz_101.png", ana, f"{CUPS}/UV 101 UVDTF_16oz_101.png", is_active=False)
    old.design("UV 1203 UVDTF_16oz_1203.png", ana, f"{CUPS}/UV 1203 UVDTF_16oz_1203.png", phash="0123456789abcdef")
    old.design("on its disk", ana, "/srv/old/NorthCups/UVDTF 16oz/UV 102 UVDTF_16oz_102.png", filename=None)
    old.design("UV 104 UVDTF_16oz_104.png", ana, "/tmp/UV 104 UVDTF_16oz_104.png", dhash="p|d")  # noqa: S108
    old.design("nothing", ana, None, filename=None)
    for which in ("first", "second"):
        name, made = "UV 103 UVDTF_16oz_103.png", f"2025-09-2{len(which)}"
        old.design(which, ana, f"{CUPS}/{name}", filename=name, created_at=made)
    cafe = "DTF 007 Café_Größe_007.png"
    old.design(cafe, ana, f"{BASE}/Café Größe/{cafe}", phash=None)
    old.design("Digital 012.png", ana, f"{BASE}/Digital/UVDTF 16oz/Digital 012.png", is_digital=None)
    old.design("UV 900 Elsewhere_900.png", old_id("nobody"), "/share/Graphics/Elsewhere/x/UV 900.png")


@pytest.fixture
def filled(old: Old, nas: Path, tmp_path: Path) -> Old:
    fill(old)
    fill_designs(old)
    folder = nas / "NorthCups"
    lay(folder, "UVDTF 16oz/UV 100 UVDTF_16oz_100.png", ROSE)
    lay(folder, "UVDTF 16oz/UV 101 UVDTF_16oz_101.png", TULIP)
    lay(folder, "Café Größe/DTF 007 Café_Größe_007.png", DAISY)
    lay(folder, f"Mockups/BaseMockups/UVDTF 16oz/mockup_{old_id('group')}_0.png", photograph())
    lay(folder, "Mockups/BaseMockups/Watermarks/mark.png", photograph())
    lay(tmp_path / "disk", f"NorthCups/own/mockup_{old_id('group')}_1.png", photograph())
    return old


def test_a_dry_run_says_what_would_come_and_copies_nothing(filled: Old, run: Import, engine: Engine) -> None:
    done = run("--dry-run")
    assert done.exit_code == 1
    assert "users: 2 copied, 2 skipped" in done.stdout
    assert "designs: 9 copied, 2 skipped" in done.stdout
    assert done.stdout.endswith("Nothing was copied: this was a dry run.\n")
    for table in ("ingest.users", "ingest.items", "ingest.imported", "dedup.hashes", "storage.counters"):
        assert count(engine, table) == 0, table


def test_everything_that_can_be_used_is_copied_and_the_rest_is_named(
    filled: Old, run: Import, engine: Engine, tmp_path: Path
) -> None:
    done = run("--files", str(tmp_path / "disk"))
    assert done.exit_code == 1
    told = done.stdout
    for line in (
        "users: 2 copied, 2 skipped",
        "product templates: 3 copied, 1 skipped",
        "canvases: 1 copied, 2 skipped",
        "sizes: 1 copied, 1 skipped",
        "mockup groups: 2 copied, 1 skipped",
        "photographs: 2 copied, 1 skipped",
        "masks: 1 copied, 2 skipped",
        "designs: 9 copied, 2 skipped",
        "designs with hashes of the wrong length: marked, and made anew from their files (2):",
        "1 file on the NAS said to be several designs' (2 in all): the newest counts",
        f"  {BASE}/mockup_{old_id('group')}_2.png of 'Glass cup': no such file",
        "  Ana@Example.com (copied: ana@example.com)",
        "users who can't log in, as their password's hash is of no known kind (1):",
    ):
        assert line in told.splitlines() or f"{line}\n" in told, (line, told)
    ana = user(engine, "ANA@example.com")
    assert (ana.id, ana.shop_folder, ana.role) == (old_id("ana"), "NorthCups", "seller")
    with engine.connect() as connection:
        stored = Users(connection).for_login("ana@example.com")
        assert stored
        assert Passwords().matches(PASSWORD, stored[1])
        templates = {each.name: each for each in Templates(connection, ana.id).all()}
        cups = templates["UVDTF 16oz"]
        assert (cups.price, cups.tags, cups.production_partner_ids, cups.quantity) == (4.0, "cup,wrap", "5,6", None)
        assert f"Unnamed product {str(old_id('template nameless'))[:8]}" in templates
        (group, bare) = sorted(Mockups(connection, ana, "/share/Graphics").page(0, 10)[0], key=lambda each: each.name)
        assert bare.mockup_images == []
        assert [image.id for image in group.mockup_images] == [old_id("image 0"), old_id("image 1")]
        assert group.mockup_images[0].file_path.startswith(f"{BASE}/Mockups/BaseMockups/UVDTF 16oz/mockup_")
        assert group.mockup_images[0].watermark_path == f"{BASE}/Mockups/BaseMockups/Watermarks/mark.png"
        assert [mask.masks for mask in group.mockup_images[0].mask_data] == [[[tuple(p) for p in SQUARE]]]
        owed = [StoreFile.model_validate(row) for row in _owed(engine, "StoreFile")]
        assert f"own/mockup_{old_id('group')}_1.png" in {file.path for file in owed}
        designs = {design.id: design for design in Designs(connection, ana.id, "/share/Graphics").page(0, 100)[0]}
        assert len(designs) == 8  # one is out of use
        rose = designs[old_id("design UV 100 UVDTF_16oz_100.png")]
        assert (rose.file_path, rose.canvas_config_id) == (f"{CUPS}/UV 100 UVDTF_16oz_100.png", old_id("canvas"))
        assert designs[old_id("design on its disk")].filename == "UV 102 UVDTF_16oz_102.png"
        assert designs[old_id("design Digital 012.png")].is_digital
        files, total = Designs(connection, ana.id, "/share/Graphics").files(100)
        assert len(files) == total == 7  # of one nobody knows where it lies
        kept = connection.execute(select(sessions).where(sessions.c.user_id == ana.id)).one()
        assert (kept.state, kept.received, kept.stored) == ("finished", 9, 9)
        numbers = {row.counter_key: row.next_number for row in connection.execute(select(counters))}
        assert numbers == {
            "northcups/uvdtf 16oz": 1204, "northcups/café grösse": 8, "northcups/digital/uvdtf 16oz": 13,
        }  # fmt: skip
        labels = connection.execute(select(hashes.c.algorithm)).scalars().all()
        assert (labels.count(LEGACY), labels.count(UNUSABLE)) == (7, 2)
    assert "secret" not in told


def _owed(engine: Engine, kind: str) -> list[dict[str, object]]:
    with engine.connect() as connection:
        return list(connection.execute(select(outbox.c.data).where(outbox.c.type == kind)).scalars())


def test_a_second_import_changes_what_changed_there_and_nothing_that_was_changed_here(
    filled: Old, run: Import, engine: Engine
) -> None:
    run()
    again = run()
    assert not re.search(r"\d (copied|updated|kept|left)", again.stdout), again.stdout
    rose, tulip = old_id("design UV 100 UVDTF_16oz_100.png"), old_id("design UV 101 UVDTF_16oz_101.png")
    ana, cups = user(engine, "ana@example.com"), old_id("template UVDTF 16oz")
    with engine.begin() as connection:
        Templates(connection, ana.id).change(cups, TemplateInput(name="UVDTF 16oz", price=5.0))
        Designs(connection, ana.id, "").change(rose, DesignChanges(is_active=False))
        Canvases(connection, ana.id).remove(cups, old_id("canvas"))
    filled.run("UPDATE etsy_product_templates SET title = 'New', price = 6")
    filled.run("UPDATE design_images SET is_active = NOT is_active WHERE filename LIKE 'UV 10%'")
    third = run().stdout
    assert "product templates: 2 updated, 1 kept as changed here, 1 skipped" in third
    assert "canvases: 1 left out as deleted here, 2 skipped" in third
    with engine.connect() as connection:
        assert Templates(connection, ana.id).get(cups).price == 5.0
        found = connection.execute(select(items.c.id, items.c.is_active, items.c.revision)).all()
        states = {row.id: (row.is_active, row.revision) for row in found}
        known = {row.item_id: row.is_active for row in connection.execute(select(hashes))}
    assert (states[rose], states[tulip]) == ((False, 1), (True, 1))
    assert (known[rose], known[tulip]) == (True, True)  # the first hears of it by its user's own message


def test_a_copy_of_an_old_design_is_found_as_its_duplicate_once_its_file_is_hashed(
    filled: Old, run: Import, engine: Engine, environment: dict[str, str], tmp_path: Path
) -> None:
    run()
    rose = old_id("design UV 100 UVDTF_16oz_100.png")
    works = Works(environment["DATABASE_URL"], engine, tmp_path, tenant=user(engine, "ana@example.com").id)
    works.run(*map(ShopScanRequested.model_validate, _owed(engine, "ShopScanRequested")))
    assert works.learnt() == set()  # what lies there is all known as designs
    found = works.duplicate(ROSE)
    assert (found.match.item_id, found.match.path) == (rose, "NorthCups/UVDTF 16oz/UV 100 UVDTF_16oz_100.png")
    assert found.reason == "the same file as UV 100 UVDTF_16oz_100.png in the database, byte for byte"

    file = tmp_path / "nas" / str(found.match.path)
    content = file.read_bytes()
    file.unlink()
    works.run(works.scan())
    with engine.connect() as connection:
        state = select(hashes.c.state).where(hashes.c.item_id == rose)
        assert connection.execute(state).scalar_one() == "released"
    file.write_bytes(content)
    works.run(works.scan())
    assert works.duplicate(ROSE).match.item_id == rose

    (*_, stored) = works.run(works.upload(TULIP))  # like a design that is out of use: it blocks nothing
    assert (type(stored).__name__, getattr(stored, "number", None)) == ("DesignStored", 1204)

    with engine.begin() as connection:
        told = Designs(connection, works.tenant, "").remove(rose)
    assert told
    works.run(told, works.scan(anew=True))
    (*_, stored) = works.run(works.upload(ROSE))
    assert getattr(stored, "number", None) == 1205


CUPS_LISTING = ListingTemplate(
    template_id=old_id("template UVDTF 16oz"),
    name="UVDTF 16oz",
    title="| Cup Wrap",
    description="",
    price=4.0,
    quantity=1,
    who_made="i_did",
    when_made="made_to_order",
)


def test_an_old_design_is_listed_when_somebody_asks_for_it_and_never_by_itself(
    filled: Old, run: Import, engine: Engine, environment: dict[str, str], nas: Path
) -> None:
    run()
    ana, store = old_id("ana"), Sessions(engine, hashers=1)
    rose, lost = old_id("design UV 100 UVDTF_16oz_100.png"), old_id("design UV 1203 UVDTF_16oz_1203.png")
    Prints(engine, Blobs(Path(environment["BLOB_DIR"])), PathNas(nas)).bring_back(ana, [rose, lost])
    wanted = Wanted("NorthCups", CUPS_LISTING, old_id("group"), ())
    asked = store.ask_listings(ana, [rose, lost], wanted)
    assert asked == [rose]
    (request,) = map(MockupsRequested.model_validate, _owed(engine, "MockupsRequested"))
    assert (request.design.sha256, request.number) == (hashlib.sha256(ROSE).hexdigest(), 100)
    (why,) = store.not_asked(ana, [lost], CUPS_LISTING)
    assert why.endswith("not listed: its file is not on the NAS where the old system had it")

    upload, again = uuid4(), {"kind": "identical", "match": {"item_id": str(old_id("design first"))}}
    theirs = {"user_id": ana, "state": "duplicate", "index": 0, "filename": "again.png", "size": 1, "facts": again}
    with engine.begin() as connection:
        sent = {"user_id": ana, "client_key": "again", "state": "finished", "submitted_at": func.now()}
        connection.execute(insert(sessions).values(id=upload, **sent))
        connection.execute(insert(items).values(id=uuid4(), session_id=upload, **theirs))
    assert store.left_unlisted(ana, [], [upload], wanted) == []
