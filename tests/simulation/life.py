"""A life: messages come in any order and more than once, handlers break, people do what they like; then comes rest."""

from dataclasses import dataclass, field

from services.ingest.dead_letters import outcomes
from shared.errors import Permanent, Retryable
from shared.nas.errors import BadPath, NasRefused, NasUnavailable
from tests.simulation.dice import Dice
from tests.simulation.people import People
from tests.simulation.post import Mail
from tests.simulation.steps import Broken
from tests.simulation.world import World

MOST_TURNS = 60
MOST_FAULTS = 8
MOST_ACTS = 6
MOST_STEPS = 14
ENDLESS = 2000


@dataclass
class Life:
    """One of them."""

    world: World
    dice: Dice
    faults: int = 0
    acts: int = 0
    depth: int = 0
    people: People = field(init=False)

    def __post_init__(self) -> None:
        self.people = People(self.world, self.dice)

    def live(self) -> None:
        """Until nothing is left to do, or it has had its time."""
        self.people.upload()
        for _ in range(MOST_TURNS):
            self.world.pass_on(lambda _: self._fault(3))
            if not self.world.post.bag and self.acts >= MOST_ACTS:
                return
            self._turn()

    def _turn(self) -> None:
        if self.acts < MOST_ACTS and (not self.world.post.bag or self.dice.chance(10)):
            self.acts += 1
            self.people.act()
        if self.world.post.bag:
            self._deliver(self.world.post.bag.pop(self.dice.upto(len(self.world.post.bag) - 1)))
        elif self.dice.chance(30):
            self.world.do("UPDATE ingest.outbox SET sent_at = sent_at - interval '1 hour'")
            outcomes.settle(self.world.engine)
        if self.dice.chance(30):
            self._overtake()

    def _deliver(self, mail: Mail) -> None:
        self.world.tell(f"{' ' * self.depth}{mail}")
        if self.dice.chance(30):
            self.world.in_one_go([mail, *self.world.post.bag])
        again = self._fault(10)
        if not self._fault(30):
            self.world.post.deliver(mail, again=again)
            return
        at, deadly = self.dice.upto(MOST_STEPS), self.dice.chance(50)
        with self.world.steps.during(at, self.dice.pick((self._break, self._fail, self._others))):
            self.world.post.deliver(mail, deadly=deadly, again=again)

    def _overtake(self) -> None:
        if not self._fault(30):
            self.world.overtake()
            return
        at, happens = self.dice.upto(MOST_STEPS), self.dice.pick((self._break, self._fail))
        self.world.overtake(lambda: self.world.steps.during(at, happens), deadly=self.dice.chance(50))

    def _fault(self, percent: int) -> bool:
        if self.faults >= MOST_FAULTS or not self.dice.chance(percent):
            return False
        self.faults += 1
        return True

    def _break(self, what: str) -> None:
        raise Broken(what)

    def _fail(self, what: str) -> None:
        kinds: tuple[type[Exception], ...] = (RuntimeError, Retryable, Permanent)
        if what.startswith("nas"):
            kinds = (NasRefused, NasUnavailable, BadPath)
        raise self.dice.pick(kinds)(f"a fault at {what}")

    def _others(self, what: str) -> None:
        """Another consumer is at work meanwhile, or somebody does something."""
        self.world.tell(f"{' ' * self.depth}  at {what}, meanwhile:")
        self.depth += 2
        for _ in range(1 + self.dice.upto(2)):
            if self.acts < MOST_ACTS and self.dice.chance(20):
                self.acts += 1
                self.people.act()
            elif self.world.post.bag:
                self._deliver(self.world.post.bag.pop(self.dice.upto(len(self.world.post.bag) - 1)))
        self.depth -= 2

    def rest(self) -> None:
        """Everything works, and what is in flight arrives."""
        for _ in range(ENDLESS):
            moved = self.world.pass_on() + self.world.overtake()
            if self.world.post.bag:
                mail = self.world.post.bag.pop(0)
                self.world.tell(str(mail))
                self.world.post.deliver(mail)
            elif not moved and not self._later():
                return
        raise AssertionError("it goes on for ever")

    def _later(self) -> int:
        """Time goes by: what was lost in flight keeps nobody waiting any more, and replays are over."""
        self.world.do("UPDATE ingest.outbox SET sent_at = sent_at - interval '1 hour' WHERE sent_at IS NOT NULL")
        outcomes.settle(self.world.engine)
        return self.world.pass_on()

    def mend(self) -> None:
        """Replay what died, until nothing is dead, and then what failed."""
        for _ in range(6):
            letters = self.people.letters()
            for letter_id in letters:
                self.people.replay_letter(letter_id)
            self.rest()
            if letters == self.people.letters():
                return

    def retry(self) -> None:
        """Try again what failed, as often as it helps."""
        for _ in range(3):
            for session in self.people.uploads:
                self.world.sessions.retry(session, "her")
            self.world.tell("everything is tried again")
            self.rest()

    def move(self) -> None:
        """Another shop is connected, perhaps, and everything is asked for there."""
        self.people.connect_a_shop()
        self.people.list_designs(*self.people.uploads)
        self.rest()
        self.mend()
