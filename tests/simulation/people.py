"""What sellers and operators do in between, by the calls that the product's API and commands make."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from services.ingest.dead_letters import outcomes, shelving
from services.ingest.dead_letters.auditing import Run
from services.ingest.dead_letters.finding import Filter
from services.ingest.dead_letters.replaying import Replays
from services.ingest.lane_choice import COMPREHENSIVE
from services.ingest.sessions.actions.reviewing import Decision, Undecidable, pairs, waiting
from services.ingest.sessions.intake.grace_period import Unasked
from services.ingest.sessions.lifecycle.records import Choice, Received, Session, Wanted
from services.ingest.sessions.outgoing.outbox import owe
from services.ingest.sessions.serving.designs import Designs
from services.ingest.sessions.serving.store import Wish
from services.ops.resume import resume, resume_others
from shared.contracts import Background, Blob, Destination, Duplicates, ListingTemplate, Mask, PrintSpec
from shared.database import transaction
from tests.simulation.dice import Dice
from tests.simulation.pictures import FATES, File
from tests.simulation.steps import SHOPS
from tests.simulation.world import HASHERS, SHOP, TEMPLATE, TENANT, World

INCH = PrintSpec(width_inches=1, height_inches=1, canvas_width_inches=1, canvas_height_inches=1)
PRODUCT, MOCKUP = UUID(int=1), UUID(int=2)
LISTING = ListingTemplate(
    template_id=PRODUCT, name=TEMPLATE, title="Cup wrap", description="For 16 oz cups.", price=4, quantity=999,
    who_made="i_did", when_made="made_to_order", taxonomy_id=1,
)  # fmt: skip
PHOTO = Background(image=Blob(sha256="c" * 64, size=1), masks=(Mask(polygon=((0, 0), (1, 0), (1, 1))),))
MOST_SESSIONS = 2
SAID: tuple[Decision, ...] = ("keep", "skip")
POLICIES: tuple[Duplicates, ...] = ("skip_near", "skip_near", "review", "review", "review", "skip_exact", "keep_all")


@dataclass
class People:
    """One seller with a few uploads, and who looks after the system."""

    world: World
    dice: Dice
    uploads: list[Session] = field(default_factory=list)
    out_of_use: set[UUID] = field(default_factory=set)
    lost_the_broker_once: bool = False

    def upload(self) -> None:
        """A few files, some or all of which are copies of one picture."""
        if len(self.uploads) == MOST_SESSIONS:
            return
        pictures = 1 + self.dice.upto(1)
        files = [
            File(self.dice.upto(pictures - 1), self.dice.upto(2), self.dice.pick(FATES))
            for _ in range(2 + self.dice.upto(5))
        ]
        place = Destination(shop=SHOP, template=TEMPLATE)
        policy = self.dice.pick(POLICIES)
        choice = Choice(PRODUCT, MOCKUP, None, None, INCH, place, duplicates=policy)
        number = len(self.uploads)
        received = [Received(f"{number}{i}.png", self.world.pictures.add(file)) for i, file in enumerate(files)]
        self.world.tell(f"upload {number}, {policy}: {[(file.picture, file.copy, file.fate) for file in files]}")
        session, _ = self.world.sessions.submit(TENANT, str(number), choice, received, COMPREHENSIVE)
        self.uploads.append(session)

    def act(self) -> None:
        """One of all the things that somebody may do now. Near duplicates are few: who sees one likes to decide.

        Copies of what is not stored yet are fewer still.
        """
        if self.copied() and self.dice.chance(40):
            self.cancel_original()
            return
        if self.near() and self.dice.chance(40):
            self.dice.pick((self.keep, self.keep, self.skip, self.decide_all))()
            return
        self.dice.pick(
            (
                self.retry, self.retry_one, self.cancel_one, self.cancel, self.replay, self.list_designs,
                self.upload, self.discard, self.take_out_of_use, self.settle, self.resume, self.lose_the_broker,
                self.keep, self.skip, self.decide_all, self.connect_a_shop, self.list_designs, self.ask_nothing,
            )
        )()  # fmt: skip

    def ask_nothing(self) -> None:
        self.world.tell(f"nobody asks for listings: {Unasked(self.world.engine, 0).finish()} uploads end")

    def retry(self) -> None:
        session = self.dice.pick(self.uploads)
        opened = self.world.sessions.retry(session, "her")
        self.world.tell(f"retry {session.client_key}: {[row.filename for row in opened.files]}")

    def retry_one(self) -> None:
        session = self.dice.pick(self.uploads)
        row = self.dice.pick(self.world.sessions.items(session))
        opened = self.world.sessions.retry(session, "her", [row["id"]])
        self.world.tell(f"retry {row['filename']}: {bool(opened)}")

    def cancel(self) -> None:
        session = self.dice.pick(self.uploads)
        self.world.tell(f"cancel {session.client_key}: {self.world.sessions.cancel(TENANT, session.id, None)}")

    def cancel_one(self) -> None:
        session = self.dice.pick(self.uploads)
        row = self.dice.pick(self.world.sessions.items(session))
        self.world.tell(f"cancel {row['filename']}: {self.world.sessions.cancel(TENANT, session.id, row['id'])}")

    def copied(self) -> list[dict[str, Any]]:
        """What is on its way, and has duplicates."""
        return self.world.rows(
            "SELECT session_id, id, filename FROM ingest.items AS original "
            "WHERE state IN ('received', 'hashed', 'accepted') AND EXISTS (SELECT FROM ingest.items AS copy "
            "WHERE copy.state = 'duplicate' AND copy.facts->'match'->>'item_id' = original.id::text) ORDER BY filename"
        )

    def cancel_original(self) -> None:
        """By itself, or with all of its upload."""
        row = self.dice.pick(self.copied())
        item_id = self.dice.pick((row["id"], None))
        done = self.world.sessions.cancel(TENANT, row["session_id"], item_id)
        self.world.tell(f"cancel {row['filename']}, an original{'' if item_id else ', with its upload'}: {done}")

    def keep(self) -> None:
        self._decide_one("keep")

    def skip(self) -> None:
        self._decide_one("skip")

    def near(self) -> list[tuple[Session, UUID, str]]:
        """What somebody can decide about, or did."""
        with transaction(self.world.engine) as connection:
            found = [(session, pairs(connection, session.id, "all")[0]) for session in self.uploads]
        return [(session, row.id, row.filename) for session, rows in found for row in rows]

    def decide_about_all(self) -> None:
        """About each near duplicate, one way or the other."""
        for session, item_id, name in self.near():
            self._decide_about(session, item_id, name, self.dice.pick(SAID))

    def _decide_one(self, said: Decision) -> None:
        """About whatever file, as people do; of near duplicates rather than of others."""
        others = [
            (each, row["id"], row["filename"]) for each in self.uploads for row in self.world.sessions.items(each)
        ]
        self._decide_about(*self.dice.pick(self.near() or others), said)

    def _decide_about(self, session: Session, item_id: UUID, name: str, said: Decision) -> None:
        self._decide(session, lambda _: {item_id: said}, f"{said} {name}")

    def decide_all(self) -> None:
        session, said = self.dice.pick(self.uploads), self.dice.pick(SAID)
        self._decide(session, lambda c: dict.fromkeys(waiting(c, session.id), said), f"{said} all of {session.id}")

    def _decide(self, session: Session, wish: Wish, words: str) -> None:
        try:
            came = str(self.world.sessions.decide(session, wish, "her", lambda _: True))
        except Undecidable as error:
            came = str(error)
        self.world.tell(f"{words}: {came}")

    def list_designs(self, *these: Session) -> None:
        """Of one upload, or of these, where the shop is now."""
        for session in these or (self.dice.pick(self.uploads),):
            ids = [row["id"] for row in self.world.sessions.items(session)]
            wanted = Wanted(SHOP, LISTING, MOCKUP, (PHOTO,), self.world.shop.name)
            asked = self.world.sessions.ask_listings(TENANT, ids, wanted)
            self.world.tell(f"list {session.client_key} in {wanted.target}: {len(asked)}")

    def connect_a_shop(self) -> None:
        """Or none: then it is a dry run."""
        self.world.shop.name = self.dice.pick(SHOPS)
        self.world.tell(f"the shop is {self.world.shop.name} now")

    def take_out_of_use(self) -> None:
        stored = self.world.rows(
            "SELECT id, filename FROM ingest.items WHERE state = 'stored' AND is_active ORDER BY 2"
        )
        if not stored:
            return
        row = self.dice.pick(stored)
        with transaction(self.world.engine) as connection:
            told = Designs(connection, TENANT, "").remove(row["id"])
            assert told
            owe(connection, COMPREHENSIVE, told)
        self.out_of_use.add(row["id"])
        self.world.tell(f"delete the design of {row['filename']}")

    def letters(self) -> list[UUID]:
        """Those that wait for somebody, oldest first."""
        waiting = "SELECT id FROM ingest.dead_letters WHERE status IN ('dead', 'dead_again') ORDER BY kept_at"
        return [row["id"] for row in self.world.rows(waiting)]

    def replay(self) -> None:
        if letters := self.letters():
            self.replay_letter(self.dice.pick(letters))

    def replay_letter(self, letter_id: UUID) -> None:
        result = Replays(self.world.engine, HASHERS).replay(letter_id, Run("him", "replay"))
        self.world.tell(f"replay {str(letter_id)[:8]}: {result.result}: {result.words}")

    def discard(self) -> None:
        if letters := self.letters():
            letter_id = self.dice.pick(letters)
            shelving.discard(self.world.engine, Filter(ids=(letter_id,)), Run("him", "discard"), "why not")
            self.world.tell(f"discard {str(letter_id)[:8]}")

    def take_back(self) -> None:
        """What was discarded."""
        shelving.restore(self.world.engine, Filter(), Run("him", "restore"))

    def settle(self) -> None:
        outcomes.settle(self.world.engine)

    def resume(self) -> None:
        found = resume(self.world.engine, HASHERS)
        others = resume_others(self.world.engine).total()
        self.world.tell(f"resume: {[(each.files, each.listings) for each in found]}, {others}")

    def lose_the_broker(self) -> None:
        """With all that is in its queues; whoever looks after it reads what to do then."""
        self.world.tell(f"the broker is lost, with {len(self.world.post.bag)} messages")
        self.world.post.bag.clear()
        self.lost_the_broker_once = True
        self.resume()
