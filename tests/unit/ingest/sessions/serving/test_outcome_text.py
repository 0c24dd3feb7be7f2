"""What became of an upload, in sentences."""

from typing import Any

from services.ingest.sessions.serving.outcome_text import (
    MOST_LINES,
    NO_SHOP,
    changed_since,
    in_a_shop,
    of_cancelled,
    standing,
    taken_along,
    tell,
)
from shared.contracts import ALREADY_LISTED


def item(filename: str, state: str, reason: str | None = None) -> dict[str, Any]:
    return {"filename": filename, "state": state, "reason": reason}


def listing(state: str, reason: str | None = None, warnings: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "filename": "a.png",
        "name": "UV 100.png",
        "state": state,
        "reason": reason,
        "warnings": warnings,
        "item_state": "stored",
    }


def test_every_file_that_is_not_listed_is_named_with_its_reason() -> None:
    story = tell(
        [
            item("a.png", "stored"),
            item("b.png", "duplicate", "the same picture as a.png"),
            item("c.png", "rejected", "c.png: not an image; export it again"),
            item("d.png", "failed", "the NAS refused it"),
        ],
        [listing("listed"), listing("failed", "the title is too long")],
    )
    assert story.splitlines() == [
        "1 listing created, 1 listing failed, 1 duplicate skipped, 1 file could not be used, 1 file failed.",
        "a.png (UV 100.png): not listed: the title is too long",
        "b.png: the same picture as a.png",
        "c.png: not an image; export it again",
        "d.png: the NAS refused it",
    ]


def test_what_is_wrong_with_a_stored_design_is_told_after_what_is_no_design() -> None:
    soft = {"facts": {"warnings": ["only 600 x 400 px of artwork for a print of 3800 x 1732"]}}
    stored = item("a.png", "stored") | soft | {"name": "UV 100.png"}
    items = [stored, item("b.png", "duplicate", "the same file as a.png") | soft]
    assert tell(items, [listing("listed")]).splitlines()[1:] == [
        "b.png: the same file as a.png",
        "a.png (UV 100.png): only 600 x 400 px of artwork for a print of 3800 x 1732",
    ]
    assert "px" not in of_cancelled(items)


def test_what_was_listed_before_is_not_called_created() -> None:
    before = listing("listed") | {"already": True}
    assert tell([], [listing("listed"), before]) == "2 listed, 1 of them already."
    assert tell([], [before]) == "1 listed already."
    assert standing([listing("listed"), before])["already_listed"] == 1
    found = listing("listed", warnings=(f"{ALREADY_LISTED} as 77: no second listing was made",))
    assert tell([], [found]).startswith("1 listed already.")


def test_what_a_dry_run_listed_is_not_listed_where_a_shop_is_missing() -> None:
    tried = in_a_shop([listing("listed") | {"target": "dry-run"}, listing("listed") | {"target": "etsy:5"}], None)
    assert standing(tried)["listed"] == 1
    assert tell([], tried[:1]).splitlines() == ["1 listing in a dry run only.", NO_SHOP]
    dry = in_a_shop([listing("listed") | {"target": "dry-run"}], "dry-run")
    assert standing(dry)["listed"] == 1


def test_what_was_cancelled_is_counted_apart() -> None:
    words = "cancelled by you on 26 November 2026 at 19:30 UTC"
    gone = item("b.png", "failed", words) | {"facts": {"code": "cancelled"}}
    unlisted = listing("failed", words) | {"cancelled": True}
    story = tell([item("c.png", "failed", "the NAS refused it"), gone], [listing("listed"), unlisted])
    assert story.splitlines() == [
        "1 listing created, 1 listing cancelled, 1 file failed, 1 file cancelled.",
        f"a.png (UV 100.png): not listed: {words}",
        "c.png: the NAS refused it",
        f"b.png: {words}",
    ]


def test_what_is_left_of_a_cancelled_upload_is_told_where_nothing_is_listed() -> None:
    gone = item("b.png", "failed", "cancelled by you") | {"facts": {"code": "cancelled"}}
    assert of_cancelled([item("a.png", "stored"), gone]).splitlines() == [
        "The upload was cancelled, so no listings were created: 1 file cancelled.",
        "1 design that was stored before stays stored.",
        "b.png: cancelled by you",
    ]
    assert "stored" not in of_cancelled([gone])


def test_listings_are_counted_by_how_they_stand() -> None:
    rows = [listing("listed"), listing("failed"), listing("failed") | {"cancelled": True}, listing("rendered")]
    assert standing(rows) == {"listed": 1, "failed": 1, "cancelled": 1, "in_progress": 1, "already_listed": 0}
    assert set(standing([]).values()) == {0}


def test_no_line_names_its_file_twice() -> None:
    story = tell([], [listing("failed", "UV 100.png: photograph 1: no print area")])
    assert story.splitlines()[1:] == ["a.png (UV 100.png): not listed: photograph 1: no print area"]


def test_a_dry_run_is_called_one() -> None:
    tried = listing("listed") | {"target": "dry-run"}
    assert tell([], [tried]).splitlines() == [
        "1 listing created.",
        "It is a dry run: listings are folders on the server, none is at Etsy. Connect a shop, and ask again.",
    ]
    assert tell([], [tried, listing("listed") | {"target": "etsy:555"}]) == "2 listings created."
    assert "dry run" not in tell([], [listing("failed", "the title is too long") | {"target": None}])


def test_what_listings_lack_is_said_in_numbers() -> None:
    assert changed_since(1).startswith("1 listing was asked for before")
    assert changed_since(2).endswith("the changes are not in them.")


def test_what_was_taken_along_is_named() -> None:
    rows = [listing("listed") | {"item_id": n, "name": f"UV {n} Cup_{n}.png"} for n in range(8)]
    assert taken_along(rows[:1]) == (
        "a.png (UV 0 Cup_0.png) was listed too: this upload brought its file again, and it had not been listed yet."
    )
    assert taken_along(rows).startswith("a.png (UV 0 Cup_0.png), a.png (UV 1 Cup_1.png), a.png (UV 2 Cup_2.png)")
    assert "and 3 more were listed too" in taken_along(rows)


def test_what_was_taken_along_and_is_not_listed_is_not_called_listed() -> None:
    dry = listing("listed") | {"target": "dry-run", "name": "UV 1.png"}
    rows = [*in_a_shop([dry], None), listing("failed", "the title is too long"), listing("rendering")]
    assert taken_along(rows) == ""
    assert taken_along([*rows, listing("listed")]).startswith("a.png (UV 100.png) was listed too: ")


def test_a_warning_of_a_listing_reaches_the_user() -> None:
    assert "a.png (UV 100.png): no watermark" in tell([], [listing("listed", warnings=("no watermark",))])


def test_a_long_story_says_how_much_it_leaves_out() -> None:
    story = tell([item(f"{n}.png", "duplicate", "known") for n in range(MOST_LINES + 5)], [])
    assert len(story.splitlines()) == MOST_LINES + 2
    assert "5 more" in story.splitlines()[-1]


def test_work_that_goes_on_is_said_to_go_on() -> None:
    assert tell([item("a.png", "hashed")], [listing("requested")]).startswith(
        "1 listing still in progress, 1 file still in progress"
    )


def test_who_is_asked_about_a_near_copy_reads_so() -> None:
    asked = [item(f"{name}.png", "duplicate", "the same picture as a.png") | {"review": "waiting"} for name in "bc"]
    skipped = item("d.png", "duplicate", "the same file as a.png") | {"review": "skip"}
    assert tell([*asked, skipped], []).splitlines() == [
        "1 duplicate skipped, 2 near copies wait for your decision.",
        "b.png: the same picture as a.png (it waits for your decision: keep it or skip it)",
        "c.png: the same picture as a.png (it waits for your decision: keep it or skip it)",
        "d.png: the same file as a.png",
    ]
