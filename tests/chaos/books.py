"""The books of one upload: what the seller was told, and what every service, the NAS and the shop have of it."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.chaos import timeline
from tests.chaos.findings import Finding, Kind
from tests.chaos.likeness import alike
from tests.chaos.work import Work
from tests.chaos.world import World
from tests.drift import DRIFT
from tests.etsy.books import Asked, differences, strangers
from tests.seller import PRODUCT


@dataclass
class Books:
    """What every source of truth says about one upload."""

    world: World
    work: Work

    def findings(self) -> list[Finding]:
        """Every difference."""
        read = self._read()
        if read is None:
            return [Finding("lost", f"the session {self.work.session_id} is not in the database")]
        return [finding for check in self._checks() for finding in check()]

    def _checks(self) -> tuple[Callable[[], Iterator[Finding]], ...]:
        return (
            self._every_file_has_its_end,
            self._the_answers_agree,
            self._every_design_is_stored_once,
            self._numbers_are_gap_free,
            self._every_listing_exists_once,
            self._mockups_are_kept_once,
            self._verdicts_agree,
            self._the_timeline_is_gap_free,
            self._nothing_is_owed,
            self._counters_agree,
            self._dead_letters_are_explained,
        )

    def _read(self) -> dict[str, Any] | None:
        found = self._rows("SELECT * FROM ingest.sessions WHERE client_key = :key", key=self.work.session_id)
        if not found:
            return None
        self.session = found[0]
        of_session = {"id": self.session["id"]}
        self.items = self._rows('SELECT * FROM ingest.items WHERE session_id = :id ORDER BY "index"', **of_session)
        self.listings = self._rows("SELECT * FROM ingest.listings WHERE session_id = :id", **of_session)
        self.events = self._rows(
            "SELECT * FROM ingest.session_events WHERE session_id = :id ORDER BY seq",
            **of_session,
        )
        self.designs = self._rows("SELECT * FROM storage.designs WHERE session_id = :id", **of_session)
        self.published = self._rows(
            "SELECT l.* FROM publisher.listings l JOIN ingest.items i ON i.id = l.item_id WHERE i.session_id = :id",
            **of_session,
        )
        self.stored = [item for item in self.items if item["state"] == "stored"]
        return self.session

    def _rows(self, query: str, **values: Any) -> list[dict[str, Any]]:
        return [dict(row._mapping) for row in self.world.rows(query, **values)]

    def _every_file_has_its_end(self) -> Iterator[Finding]:
        """I1."""
        files = self.work.files
        if len(self.items) != len(files):
            kind: Kind = "lost" if len(self.items) < len(files) else "doubled"
            yield Finding(kind, f"{len(files)} files were sent and {len(self.items)} are on record")
        for item in self.items:
            expected = self.work.states_of(item["index"])
            if item["state"] not in expected:
                yield Finding(
                    "lost", f"{_named(item)} should be {'|'.join(expected)} and is {item['state']}: {item['reason']}"
                )
            if item["state"] not in ("stored", "received", "hashed", "accepted") and not item["reason"]:
                yield Finding("wrong", f"{_named(item)} is {item['state']} without a reason")

    def _the_answers_agree(self) -> Iterator[Finding]:
        """What the seller was told is what the rows say."""
        receipt = self.work.seller.receipt(self.work.session_id)
        ends = ("stored", "duplicate", "rejected", "failed", "in_progress")
        if receipt["received"] != sum(receipt[end] for end in ends):
            yield Finding("lost", f"the receipt does not add up: { {end: receipt[end] for end in ends} }")
        told = {item["item_id"]: (item["state"], item["path"]) for item in receipt["items"]}
        rows = {str(item["id"]): (item["state"], item["path"]) for item in self.items}
        if told != rows:
            yield Finding("wrong", f"receipt and rows differ: {set(told.items()) ^ set(rows.items())}")
        answered = {design["id"] for design in self.work.designs}
        for gone in answered - {str(item["id"]) for item in self.items}:
            yield Finding("lost", f"design {gone} was answered and is not on record")
        if receipt["state"] == "finished" and (late := [i for i in self.stored if str(i["id"]) not in answered]):
            yield Finding("wrong", f"stored and never answered: {', '.join(map(_named, late))}")

    def _every_design_is_stored_once(self) -> Iterator[Finding]:
        """I2, on the NAS."""
        kept = {design["item_id"]: design for design in self.designs if design["state"] == "stored"}
        for item in self.stored:
            design = kept.pop(item["id"], None)
            if design is None or (design["path"], design["sha256"]) != (item["path"], item["print_sha256"]):
                yield Finding("wrong", f"{_named(item)}: storage has {design and design['path']}, not {item['path']}")
            yield from self._file_is_whole(item)
        for design in kept.values():
            yield Finding("lost", f"storage has stored {design['path']}, and ingest does not know")
        visible = Counter(path.name for folder in self._folders() for path in folder.iterdir() if path.is_file())
        named = {Path(item["path"]).name for item in self._stored_by_seller()}
        for name in sorted(set(visible) - named):
            if not name.endswith(".part"):  # a killed copy leaves its hidden part: `init` sweeps it
                yield Finding("doubled", f"a file that no design names: {name}")

    def _file_is_whole(self, item: dict[str, Any]) -> Iterator[Finding]:
        path = self.world.nas / item["path"]
        if not path.exists():
            yield Finding("lost", f"{_named(item)} is stored and not on the NAS: {item['path']}")
            return
        content, (_, upload) = path.read_bytes(), self.work.files[item["index"]]
        if hashlib.sha256(content).hexdigest() != item["print_sha256"]:
            yield Finding("lost", f"{_named(item)} was changed on the NAS: {item['path']}")
        elif not alike(content, upload):
            yield Finding("wrong", f"{_named(item)}: what lies at {item['path']} is not what was uploaded")

    def _stored_by_seller(self) -> list[dict[str, Any]]:
        query = "SELECT path FROM ingest.items WHERE user_id = :user AND state = 'stored'"
        return self._rows(query, user=self.work.seller.user_id)

    def _folders(self) -> set[Path]:
        return {(self.world.nas / item["path"]).parent for item in self.stored}

    def _numbers_are_gap_free(self) -> Iterator[Finding]:
        """I7: one sequence per shop and template, over all uploads of the seller."""
        query = """
            SELECT d.number, d.session_id, d."index", d.reopened FROM storage.designs d
            JOIN ingest.sessions s ON s.id = d.session_id
            WHERE d.tenant_id = :user AND d.number IS NOT NULL ORDER BY d.number"""
        rows = self._rows(query, user=self.work.seller.user_id)
        numbers = [row["number"] for row in rows]
        for number in sorted(number for number, count in Counter(numbers).items() if count > 1):
            yield Finding("doubled", f"the number {number} was given twice")
        if missing := sorted(set(range(100, 100 + len(set(numbers)))) - set(numbers)):
            yield Finding("gap", f"numbers are missing: {missing}")
        mine = [row["index"] for row in rows if row["session_id"] == self.session["id"] and not row["reopened"]]
        if mine != sorted(mine):
            yield Finding("wrong", f"numbers were not given in upload order: {mine}")

    def _every_listing_exists_once(self) -> Iterator[Finding]:
        """I2, at the shop: ledger, folder and table."""
        if self.work.listed and len(self.listings) != len(self.stored):
            yield Finding("lost", f"{len(self.stored)} designs are stored and {len(self.listings)} listings on record")
        places = {item["id"]: item for item in self.items}
        for listing in self.listings:
            item = places[listing["item_id"]]
            expected = self.work.listings_expected.get(item["index"], "listed")
            if listing["state"] != expected:
                words = f"{_named(item)}: listing is {listing['state']}, not {expected}: {listing['reason']}"
                yield Finding("lost", words)
        listed = {row["item_id"] for row in self.listings if row["state"] == "listed"}
        made = Counter(row["item_id"] for row in self.published if row["status"] == "published")
        for item_id in listed - set(made):
            yield Finding("wrong", f"{_named(places[item_id])} is listed and not in the publisher's ledger")
        for item_id, count in made.items():
            if count > 1 or item_id not in listed:
                yield Finding("doubled", f"{_named(places[item_id])} was listed {count} times, or without being told")
        yield from self._listings_at_etsy()
        yield from self._folders_of_listings([row for row in self.published if row["target"] == "dry-run"])

    def _listings_at_etsy(self) -> Iterator[Finding]:
        """Where the stand-in for Etsy is the shop: which it is for all sellers."""
        if self.world.etsy is None:
            return
        there = self.world.etsy.listings()
        rows = [row for row in self.published if row["target"].startswith("etsy:")]
        yield from differences(there, rows, map(self._asked, rows))
        yield from strangers(there, self._rows("SELECT * FROM publisher.listings"))

    def _asked(self, row: Mapping[str, Any]) -> Asked:
        path = next(Path(item["path"]) for item in self.items if item["id"] == row["item_id"])
        title = f"{' '.join(path.stem.split()[:2])} {PRODUCT['title']}"
        digests = tuple(hashlib.sha256(picture.read_bytes()).hexdigest() for picture in self._pictures(path))
        return Asked(row["publish_key"], title, PRODUCT["price"], PRODUCT["quantity"], digests)

    def _pictures(self, design: Path) -> list[Path]:
        folder = self.world.nas / design.parts[0] / "Mockups" / design.parts[1]
        return sorted(folder.glob(f"{design.stem}_BG_*"))

    def _folders_of_listings(self, published: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
        shops = {Path(row["listing_id"]).parent for row in published if row["listing_id"]}
        keys = Counter[str]()
        for shop in shops:
            for file in (self.world.running.listings_dir / shop).glob("*/listing.json"):
                keys[json.loads(file.read_text())["publish_key"]] += 1
        for row in published:
            key, folder = row["publish_key"], self.world.running.listings_dir / (row["listing_id"] or "none")
            if row["status"] == "published" and not list(folder.glob("images/*.jpg")):
                yield Finding("lost", f"the listing {folder.name} has no pictures")
            if keys[key] > 1:
                yield Finding("doubled", f"{keys[key]} folders of the listing {folder.name}")
        for shop in shops:
            table = (self.world.running.listings_dir / shop / "listings.csv").read_text("utf-8-sig").splitlines()
            if len(table) - 1 != len(keys):
                yield Finding("wrong", f"listings.csv has {len(table) - 1} rows for {len(keys)} listings")

    def _mockups_are_kept_once(self) -> Iterator[Finding]:
        """I2, for the product pictures on the NAS."""
        rendered = {row["item_id"] for row in self.listings if row["state"] in ("rendered", "listed")}
        for item in self.stored:
            if item["id"] not in rendered:
                continue
            path = Path(item["path"])
            found = [file.name for file in self._pictures(path)]
            if found != [f"{path.stem}_BG_{number}.jpg" for number in range(self.work.seller.photographs)]:
                kind: Kind = "doubled" if found else "lost"
                yield Finding(kind, f"{_named(item)}: its pictures on the NAS are {found}")

    def _verdicts_agree(self) -> Iterator[Finding]:
        """I2, in dedup: one verdict per picture, and a stored one is known."""
        query = """
            SELECT v.item_id, v.generation, v.accepted IS NOT NULL AS accepted, h.state, h.path FROM dedup.verdicts v
            LEFT JOIN dedup.hashes h ON h.item_id = v.item_id WHERE v.session_id = :id"""
        newest: dict[Any, dict[str, Any]] = {}
        for row in self._rows(query, id=self.session["id"]):
            if row["generation"] >= newest.get(row["item_id"], row)["generation"]:
                newest[row["item_id"]] = row
        for item in self.items:
            row = newest.get(item["id"])
            accepted, state = (row["accepted"], row["state"]) if row else (False, None)
            if item["state"] == "stored" and (not accepted or state != "known" or row["path"] != item["path"]):  # type: ignore[index]
                yield Finding("wrong", f"{_named(item)} is stored, and dedup has it as {state} (accepted: {accepted})")
            if item["state"] == "duplicate" and accepted:
                yield Finding("wrong", f"{_named(item)} is a duplicate, and dedup accepted it")
            if item["state"] in ("failed", "rejected") and state == "claimed":
                yield Finding("wrong", f"{_named(item)} is {item['state']}, and its hash is still claimed")

    def _the_timeline_is_gap_free(self) -> Iterator[Finding]:
        """I3."""
        yield from timeline.differences(self.session, self.events)

    def _nothing_is_owed(self) -> Iterator[Finding]:
        """I5."""
        query = "SELECT type, attempts, last_error FROM ingest.outbox WHERE session_id = :id AND sent_at IS NULL"
        for row in self._rows(query, id=self.session["id"]):
            yield Finding("lost", f"the outbox still owes {row['type']} ({row['attempts']} tries): {row['last_error']}")

    def _counters_agree(self) -> Iterator[Finding]:
        """I6."""
        if self.session["id"] in [row["id"] for row in self._rows(DRIFT)]:
            yield Finding("wrong", "the session's counters differ from its rows")

    def _dead_letters_are_explained(self) -> Iterator[Finding]:
        found = self._rows("SELECT * FROM ingest.dead_letters WHERE session_id = :id", id=self.session["id"])
        if self.work.dead_letters not in (None, len(found)):
            told = [f"{row['service']} {row['message_type']}: {row['cause']}" for row in found]
            yield Finding("wrong", f"{self.work.dead_letters} dead letters were expected, there are {told}")


def _named(item: dict[str, Any]) -> str:
    return f"{item['index']}:{item['filename']}"
