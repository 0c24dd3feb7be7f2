"""What must be true when all is at rest: all books agree, and nothing is stuck, lost, stored twice or listed twice."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from itertools import combinations
from typing import Any
from uuid import UUID

from tests.drift import DRIFT
from tests.simulation.people import People
from tests.simulation.steps import SHOPS
from tests.simulation.world import World
from tests.waiting import until

IN_WORK = ("received", "hashed", "accepted")
LOCKS = """
    SELECT classid, objid FROM pg_locks WHERE locktype = 'advisory'
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
TAKES_UP = ("retried", "kept", "accepted", "listing_retried", "listing_requested")
"""Events with which an upload goes on that had ended."""
ENDS = ("stored", "duplicate", "rejected", "failed")


class Books:
    """All rows of a world, and its folder, at one moment."""

    def __init__(self, world: World, people: People) -> None:
        self.world, self.people = world, people
        self.items = world.rows("SELECT * FROM ingest.items ORDER BY filename")
        self.by_id = {item["id"]: item for item in self.items}
        self.designs = {row["item_id"]: row for row in world.rows("SELECT * FROM storage.designs")}
        self.hashes = {row["item_id"]: row for row in world.rows("SELECT * FROM dedup.hashes")}
        self.letters = world.rows("SELECT * FROM ingest.dead_letters ORDER BY kept_at")
        self.listings = world.rows("SELECT * FROM ingest.listings")
        self.cancelled = {row["item_id"]: row["generation"] for row in world.rows("SELECT * FROM dedup.cancelled")}
        self.policies = {row["id"]: row["duplicates"] for row in world.rows("SELECT * FROM ingest.sessions")}
        self.kept = {
            frozenset((row["one"], row["other"])): row["decided_at"]
            for row in world.rows("SELECT * FROM dedup.pairs WHERE decision = 'keep'")
        }
        verdicts = world.rows("SELECT item_id, generation, decided_at FROM dedup.verdicts")
        self.verdicts = {(row["item_id"], row["generation"]): row["decided_at"] for row in verdicts}

    @property
    def open_letters(self) -> list[dict[str, Any]]:
        return [letter for letter in self.letters if letter["status"] in ("dead", "dead_again")]

    def resting(self) -> Iterator[str]:
        """Whatever happened."""
        yield from self._nobody_waits_for_nothing()
        yield from self._states()
        yield from self._counts()
        yield from self._progress()
        yield from self._numbers()
        yield from self._files()
        yield from self._twins()
        yield from self._first_come()
        yield from self._originals()
        yield from self._reviews()
        yield from self._listed()
        yield from self._locks()

    def mended(self) -> Iterator[str]:
        """When every letter was replayed."""
        yield from self.resting()
        for letter in self.letters:
            item = self.by_id.get(letter["item_id"])
            if letter["status"] in ("dead", "dead_again") and (item is None or item["state"] != "failed"):
                yield f"a letter of {letter['service']} stays open, and its file is {item and item['state']}"
            if letter["status"] == "replaying":
                yield f"a letter of {letter['service']} is replayed for ever: {letter['outcome']}"
        for item in self.items:
            if item["state"] in IN_WORK:
                yield f"STUCK: {item['filename']} is {item['state']}"
            claim = self.hashes.get(item["id"])
            if claim and claim["state"] == "claimed" and item["state"] != "stored":
                yield f"{item['filename']} is {item['state']}, and its picture is claimed"
            design = self.designs.get(item["id"])
            if design and design["state"] in ("accepted", "placed", "numbered"):
                yield f"{item['filename']} is {item['state']}, and {design['state']} in storage"

    def done(self) -> Iterator[str]:
        """When everything that failed was tried again, too."""
        yield from self.mended()
        yield from self._pairs()
        for item in self.items:
            if item["state"] == "failed":
                yield f"{item['filename']} fails though nothing is broken: {item['reason']}"
        for listing in self.listings:
            item = self.by_id[listing["item_id"]]
            if (listing["state"] == "listed") != (item["state"] == "stored"):
                yield f"{item['filename']} is {item['state']}, and its listing {listing['state']}"

    def _original(self, item: dict[str, Any]) -> dict[str, Any]:
        """What it is a duplicate of in the end: one that was cancelled and tried again may be one itself by now."""
        for _ in self.items:
            if item["state"] == "duplicate":
                item = self.by_id[UUID(item["facts"]["match"]["item_id"])]
        return item

    def _nobody_waits_for_nothing(self) -> Iterator[str]:
        discarded = any(letter["status"] == "discarded" for letter in self.letters)
        if self.open_letters or discarded:
            return
        for item in self.items:
            if item["state"] in IN_WORK:
                yield f"STUCK: {item['filename']} is {item['state']}, and no letter is open"
        for listing in self.listings:
            if listing["state"] in ("requested", "rendered"):
                yield f"STUCK: a listing of {self.by_id[listing['item_id']]['filename']} is {listing['state']}"
        if unsent := self.world.rows("SELECT * FROM ingest.outbox WHERE sent_at IS NULL"):
            yield f"STUCK: {[row['type'] for row in unsent]} are owed for ever"

    def _states(self) -> Iterator[str]:
        for item in self.items:
            if item["state"] in ENDS and item["state"] != "stored" and not item["reason"]:
                yield f"{item['filename']} is {item['state']}, and nobody says why"
            design = self.designs.get(item["id"], {})
            if item["state"] == "stored" and (design.get("state"), design["number"], design["name"]) != (
                "stored", item["number"], item["name"],
            ):  # fmt: skip
                yield f"{item['filename']} is stored as {item['name']}, and in storage {design}"
            waits = self.letters_wait
            if design.get("state") == "stored" and item["state"] != "stored" and not waits:
                yield f"{item['filename']} is {item['state']}, and stored in storage"
            claim = self.hashes.get(item["id"], {})
            waits = waits or self.people.lost_the_broker_once  # it blocks its twins all the same, in other words
            if item["state"] == "stored" and claim.get("state") != "known" and not waits:
                yield f"{item['filename']} is stored, and dedup does not know it: {claim.get('state')}"

    @property
    def letters_wait(self) -> bool:
        return any(letter["status"] in ("dead", "dead_again", "discarded") for letter in self.letters)

    def _counts(self) -> Iterator[str]:
        for row in self.world.rows(DRIFT):
            yield f"upload {row['client_key']} counts {row['told']}, and has {row['found']}"
        for session in self.world.rows("SELECT * FROM ingest.sessions"):
            mine = [item for item in self.items if item["session_id"] == session["id"]]
            seqs = self.world.rows(
                "SELECT seq FROM ingest.session_events WHERE session_id = :id ORDER BY seq", id=session["id"]
            )
            if [row["seq"] for row in seqs] != list(range(1, session["last_seq"] + 1)):
                yield f"upload {session['client_key']} has a gap in its events"
            working = any(item["state"] in IN_WORK for item in mine)
            if working and session["state"] == "finished":
                yield f"upload {session['client_key']} is finished, and has work"

    def _progress(self) -> Iterator[str]:
        """It never goes back and ends once, until an upload that has ended is taken up again."""
        query = "SELECT type, payload FROM ingest.session_events WHERE session_id = :id ORDER BY seq"
        for session in self.world.rows("SELECT * FROM ingest.sessions"):
            upload, shown, ended = f"upload {session['client_key']}", 0.0, False
            for event in self.world.rows(query, id=session["id"]):
                kind, percent, done = event["type"], event["payload"]["percent"], event["payload"]["finished"]
                again = ended and not done
                if again and kind not in TAKES_UP:
                    yield f"{upload} had ended, and goes on with {kind}"
                if percent < shown and not again:
                    yield f"{upload} goes back from {shown} to {percent} with {kind}"
                if (percent == 100) != done or (done and ended == (kind == "finished")):
                    yield f"{upload} shows {percent} with {kind}; ended: {done}, before it: {ended}"
                shown, ended = percent, done
            if (session["percent"], session["state"] == "finished") != (shown, ended):
                yield f"{upload} is {session['state']} at {session['percent']}; told was {shown}"

    def _numbers(self) -> Iterator[str]:
        for session in {item["session_id"] for item in self.items}:
            mine = [row for row in self.designs.values() if row["session_id"] == session and row["number"] is not None]
            plain = sorted(
                (row["index"], row["number"]) for row in mine if not row["reopened"] and not row["generation"]
            )
            numbers = [number for _, number in plain]
            if numbers != sorted(numbers):
                yield f"numbers are not in upload order: {plain}"

    def _files(self) -> Iterator[str]:
        stored = {row["path"]: row["sha256"] for row in self.designs.values() if row["state"] == "stored"}
        paths = [path for path in self.world.nas.root.rglob("*") if path.is_file() and path.name != ".presswork-nas"]
        there = {str(path.relative_to(self.world.nas.root)): path for path in paths}
        for name, path in there.items():
            if "/Mockups/" in name:
                continue
            if path.name.startswith("."):
                if not self.letters_wait and not any(item["state"] in IN_WORK for item in self.items):
                    yield f"{name} was left on the NAS"
            elif name not in stored:
                yield f"{name} lies on the NAS, and no design is stored there"
            elif hashlib.sha256(path.read_bytes()).hexdigest() != stored[name]:
                yield f"{name} is another file than was stored there"
        for name in stored.keys() - there.keys():
            yield f"{name} is stored, and not on the NAS"

    def _twins(self) -> Iterator[str]:
        stored = [
            self.by_id[item_id]
            for item_id, row in self.designs.items()
            if row["state"] == "stored" and item_id not in self.people.out_of_use
        ]
        for one, other in combinations(stored, 2):
            files = self.world.pictures.files
            if files[one["sha256"]].is_twin(files[other["sha256"]]) and not self._wanted(one, other):
                yield f"TWICE: {one['filename']} and {other['filename']} are both stored, and are the same picture"

    def _wanted(self, one: dict[str, Any], other: dict[str, Any]) -> bool:
        """Whether somebody wants both, though they are twins."""
        policies = [self.policies[item["session_id"]] for item in (one, other)]
        if "keep_all" in policies:
            return True
        if one["sha256"] == other["sha256"]:
            return False
        said = "keep" in (one["review"], other["review"]) or frozenset((one["sha256"], other["sha256"])) in self.kept
        return said or "skip_exact" in policies

    def _first_come(self) -> Iterator[str]:
        """Of two copies in one upload the earlier one is stored, unless one of them was cancelled or tried anew."""
        for item in self.items:
            if item["state"] != "duplicate":
                continue
            original = self.by_id[UUID(item["facts"]["match"]["item_id"])]
            plain = not any(one["generation"] or one["id"] in self.cancelled for one in (item, original))
            same = item["session_id"] == original["session_id"]
            if plain and same and original["index"] > item["index"]:
                yield f"{item['filename']} is a duplicate of {original['filename']}, which was sent later"

    def _originals(self) -> Iterator[str]:
        """Nobody wonders where the file is that another one is a duplicate of."""
        if self.letters_wait:
            return
        for item in self.items:
            found = self._original(item)
            if item["state"] == "duplicate" and found["state"] != "stored":
                yield f"LOST: {item['filename']} is a duplicate of {found['filename']}, which is {found['state']}"

    def _reviews(self) -> Iterator[str]:
        """Nobody is asked twice, or about what is no near duplicate; what is to be kept is not left out."""
        for item in self.items:
            asked = item["review"] == "waiting"
            if asked and (item["state"], item["facts"].get("kind")) != ("duplicate", "near"):
                yield f"{item['filename']} waits for a decision, and is {item['state']}"
            if asked and self._answered(item):
                yield f"{item['filename']} waits for a decision that had been made"
            near = item["state"] == "duplicate" and item["facts"]["kind"] == "near"
            unwanted = self.cancelled.get(item["id"], -1) >= item["generation"]
            if near and item["review"] == "keep" and not self.letters_wait and not unwanted:
                yield f"LOST: {item['filename']} is to be kept, and is a duplicate"

    def _answered(self, item: dict[str, Any]) -> bool:
        """Whether the pair was kept before it was asked about. An earlier question stays until it is answered."""
        said = self.kept.get(frozenset((item["sha256"], item["pair"]["match"]["content"])))
        return said is not None and said < self.verdicts[item["id"], item["generation"]]

    def _pairs(self) -> Iterator[str]:
        for item in self.items:
            pair = frozenset((item["sha256"], ((item["pair"] or {}).get("match") or {}).get("content")))
            if item["review"] == "keep" and pair not in self.kept:
                yield f"{item['filename']} is kept, and dedup has not heard so"

    def _listed(self) -> Iterator[str]:
        for (shop, key), count in Counter(self.world.shop.created).items():
            if count > 1:
                yield f"TWICE: {key[:8]} is listed {count} times in {shop}"

    def at_home(self) -> Iterator[str]:
        """When everything was asked for once more: what was in a dry run, or in another shop, is in the real one."""
        yield from self.done()
        home = self.world.shop.name
        for listing in self.listings:
            item = self.by_id[listing["item_id"]]
            if home != SHOPS[0] and item["state"] == "stored" and item["is_active"] and listing["target"] != home:
                yield f"{item['filename']} is listed in {listing['target']}, and the shop is {home}"

    def _locks(self) -> Iterator[str]:
        try:
            until(lambda: not self.world.rows(LOCKS), within_s=10)  # sessions end in a moment
        except AssertionError:
            yield f"STUCK: locks are held by nobody who is at work: {self.world.rows(LOCKS)}"
