"""The folder that a dry run leaves."""

import csv
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from services.publisher.dry_run import DryRunShop
from services.publisher.limits import ETSY
from services.publisher.listing import draft_of, publish_key, words_of
from services.publisher.shop import Asset, Intent, ListingGone, RemoteRef
from shared.contracts import MockupsRendered
from shared.errors import Permanent, Unavailable
from tests.unit.publisher.events import rendered, template

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def shop(tmp_path: Path) -> DryRunShop:
    return DryRunShop(tmp_path / "listings")


def intent(event: MockupsRendered, since: datetime = NOW) -> Intent:
    draft = draft_of(event, ETSY)
    return Intent(publish_key(draft, event.design), draft, since, words_of(draft))


def listed(shop: DryRunShop, event: MockupsRendered, since: datetime = NOW) -> RemoteRef:
    """All the calls that one listing takes."""
    wanted = intent(event, since)
    ref = shop.create(wanted)
    if wanted.draft.download:
        shop.put_download(ref, Asset(wanted.draft.download.name, b"design"))
    names = [shop.put_picture(ref, p.rank, Asset(p.name, b"picture %d" % p.rank)) for p in wanted.draft.pictures]
    return shop.finish(ref, names, wanted.draft)


def contents(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def test_a_listing_is_a_folder_that_a_person_can_read(shop: DryRunShop) -> None:
    event = rendered()
    ref = listed(shop, event)

    name = f"UV 100 UVDTF_16oz_100 [{intent(event).key[:8]}]"
    assert ref.listing_id == f"NorthCups/{name}"
    assert sorted(contents(shop.root)) == sorted(
        [
            "NorthCups/listings.csv",
            *(
                f"NorthCups/{name}/{file}"
                for file in (
                    "etsy_request.http",
                    "images/01.jpg",
                    "images/02.jpg",
                    "images/03.jpg",
                    "listing.json",
                    "preview.html",
                    "problems.json",
                )
            ),
        ]
    )
    assert ref.url == (shop.root / ref.listing_id / "preview.html").resolve().as_uri()


def test_run_again_it_is_byte_identical_but_for_one_time(tmp_path: Path) -> None:
    runs = []
    for number in (1, 2):
        shop = DryRunShop(tmp_path / str(number))
        listed(shop, rendered(), datetime(2026, 11, number, tzinfo=UTC))
        runs.append(contents(shop.root))

    differing = [name for name in runs[0] if runs[0][name] != runs[1][name]]

    assert runs[0].keys() == runs[1].keys()
    assert [Path(name).name for name in differing] == ["listing.json"]
    one, two = (json.loads(run[differing[0]]) for run in runs)
    assert [field for field in one if one[field] != two[field]] == ["asked_at"]


def test_run_again_in_place_it_replaces_itself(shop: DryRunShop) -> None:
    listed(shop, rendered())
    first = contents(shop.root)

    listed(shop, rendered())

    assert contents(shop.root) == first


def test_a_design_that_got_another_number_replaces_its_old_folder(shop: DryRunShop) -> None:
    listed(shop, rendered())

    listed(shop, rendered(design_name="UV 105 UVDTF_16oz_105.png"))

    folders = [path.name for path in (shop.root / "NorthCups").iterdir() if path.is_dir()]
    assert [name[:6] for name in folders] == ["UV 105"]


def test_a_copy_that_a_person_made_is_left_alone(shop: DryRunShop) -> None:
    ref = listed(shop, rendered())
    copy = shop.root / f"{ref.listing_id} (copy)"
    copy.mkdir()

    assert listed(shop, rendered()) == ref
    assert copy.is_dir()


def test_the_request_is_the_form_that_etsy_would_get(shop: DryRunShop) -> None:
    ref = listed(shop, rendered())

    create = (shop.root / ref.listing_id / "etsy_request.http").read_text().split("### ")[1]

    fields = dict(parse_qsl(create.strip().rsplit("\n\n", 1)[1]))
    assert fields["title"] == "UV 100 | UVDTF Cup Wrap"
    assert fields["tags"] == "cup,wrap"
    assert fields["readiness_state_id"] == "{{readiness_state_id}}"


def test_a_digital_listing_has_its_file(shop: DryRunShop) -> None:
    ref = listed(shop, rendered(digital=True, design_name="Digital 100.png"))

    assert (shop.root / ref.listing_id / "download" / "Digital-100.png").read_bytes() == b"design"


def test_problems_and_warnings_are_in_the_folder(shop: DryRunShop) -> None:
    ref = listed(shop, rendered(template=template(taxonomy_id=None)))

    (problem,) = json.loads((shop.root / ref.listing_id / "problems.json").read_text())
    assert (problem["field"], problem["level"]) == ("taxonomy_id", "recommended")


def test_the_shop_s_table_has_a_row_for_each_listing(shop: DryRunShop) -> None:
    for number in (100, 101, 102):
        design = rendered().design.model_copy(update={"sha256": f"{number:064x}"})
        listed(shop, rendered(design=design, design_name=f"UV {number} UVDTF_16oz_{number}.png"))
    listed(shop, rendered(design=design, design_name="UV 102 UVDTF_16oz_102.png"))

    with (shop.root / "NorthCups" / "listings.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))

    assert [row["title"][:6] for row in rows] == ["UV 100", "UV 101", "UV 102"]
    assert all((shop.root / "NorthCups" / row["folder"]).is_dir() for row in rows)


def test_a_table_that_was_edited_is_put_aside(shop: DryRunShop) -> None:
    listed(shop, rendered())
    table = shop.root / "NorthCups" / "listings.csv"
    table.write_text("title;price\nmine;1\n")

    listed(shop, rendered())

    assert table.with_name("listings-edited.csv").read_text() == "title;price\nmine;1\n"
    assert b"UV 100 | UVDTF Cup Wrap" in table.read_bytes()


@pytest.mark.parametrize(
    ("shop_name", "design_name"),
    [
        ("../../outside", "../../../etc/passwd.png"),
        ("CON", "aux.png"),
        ("a/b\\c:d", 'UV 100 "x" <y>|z?*.png'),
        ("North\u200bCups", "UV 100 " + "x" * 300 + ".png"),
        ("..", ".."),
    ],
)
def test_names_are_safe_on_every_file_system(shop: DryRunShop, shop_name: str, design_name: str) -> None:
    ref = listed(shop, rendered(shop=shop_name, design_name=design_name))

    folder = shop.root / ref.listing_id
    assert folder.resolve().is_relative_to(shop.root.resolve())
    assert folder.parent.parent == shop.root
    assert not re.search(r'[<>:"/\\|?*\x00-\x1f]', folder.name + folder.parent.name)
    assert len(folder.name) <= 100


def test_shops_whose_names_look_the_same_keep_apart(shop: DryRunShop) -> None:
    parents = {Path(listed(shop, rendered(shop=name)).listing_id).parent for name in ("a:b", "a|b", "a-b")}

    assert len(parents) == 3


def test_find_knows_its_folder_and_nobody_else_s(shop: DryRunShop) -> None:
    assert shop.find(intent(rendered())) is None

    ref = listed(shop, rendered())

    assert shop.find(intent(rendered())) == ref
    assert shop.find(intent(rendered(shop="SouthCups"))) is None


def test_what_a_crash_left_half_built_is_no_listing_and_no_hindrance(shop: DryRunShop) -> None:
    wanted = intent(rendered())
    half = shop.root / "NorthCups" / f".{wanted.key[:8]}.part" / "images"
    half.mkdir(parents=True)

    assert shop.find(wanted) is None
    listed(shop, rendered())

    assert [path.name[:6] for path in (shop.root / "NorthCups").iterdir() if path.is_dir()] == ["UV 100"]


def test_a_folder_whose_facts_were_changed_is_said_in_words(shop: DryRunShop) -> None:
    ref = listed(shop, rendered())
    (shop.root / ref.listing_id / "listing.json").write_text("{")

    with pytest.raises(Permanent, match="was changed: delete UV 100"):
        shop.find(intent(rendered()))


def test_a_removed_folder_is_gone(shop: DryRunShop) -> None:
    with pytest.raises(ListingGone, match="was removed"):
        shop.put_picture(RemoteRef("NorthCups/none"), 1, Asset("1.jpg", b""))
    with pytest.raises(ListingGone, match=r"images/01\.jpg vanished"):
        shop.finish(RemoteRef("NorthCups/none"), ["images/01.jpg"], intent(rendered()).draft)


def test_a_root_that_can_not_be_made_is_a_problem_and_waits(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    shop = DryRunShop(tmp_path / "file" / "listings")

    (problem,) = shop.check()
    assert "can't be made" in problem.text
    with pytest.raises(Unavailable, match="can't be written"):
        shop.create(intent(rendered()))


def test_a_root_that_can_be_written_is_fine(shop: DryRunShop) -> None:
    assert shop.check() == ()
