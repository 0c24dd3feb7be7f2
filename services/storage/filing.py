"""Puts files on the NAS: a design first under a hidden name, then, numbered, under its own."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import structlog

from services.storage.allotment import Numbers
from services.storage.design import Cause, Design
from services.storage.numbering import first_free
from services.storage.placing import damaged_path, design_folder, number_of
from services.storage.store import Designs
from services.storage.turns import Turn
from shared.blobs import Blobs
from shared.contracts import Blob, DesignStored, Destination, ImageAccepted, ItemEvent, StorageFailed
from shared.errors import Permanent, Retryable, Unavailable
from shared.nas import Nas
from shared.nas.errors import FileGone, NameTaken, NasRefused
from shared.together import Together

log = structlog.get_logger()

TURN_S = 60.0
"""So long one message gives files their names, and one file more: within a broker's patience, on a slow link too."""

NUMBERS = 5  # besides its own, that a design is given in a row

Answer = DesignStored | StorageFailed | ImageAccepted


@dataclass(frozen=True)
class Filing:
    """The NAS, and the rows that say what lies there. Every method may be repeated after a crash anywhere in it.

    Each raises `Unavailable` while NAS, blob store or database are away, and `Retryable` for what may pass.
    """

    designs: Designs
    numbers: Numbers
    nas: Nas
    blobs: Blobs
    turn_s: float = TURN_S

    def place(self, event: ImageAccepted) -> bool:
        """Bring an accepted item's file to the NAS, verified, and return whether it is news that it lies there.

        If that can never be, the item has failed.
        """
        design = Design(event, "accepted")
        is_news = self.designs.accept(event) and self._placed(design)
        if is_news or self.designs.awaits(event):
            self._remove(*design.overtaken)
        else:
            self.discard(design)
        return is_news

    def _placed(self, design: Design) -> bool:
        try:
            self._put_staged(design)
        except Permanent as error:
            self.designs.fail(design.event, _in_words(design, error), Cause.of(design.event))
            _log(design, error)
            return False
        return True

    def discard(self, design: Design) -> None:
        """Remove the hidden files of a design that has its name, or will never have one."""
        self._remove(design.staging, *design.overtaken)

    def advance(
        self, *events: ItemEvent, placed: ImageAccepted | None = None, last_try: bool = False
    ) -> Iterator[Answer]:
        """Number what is due in the events' session, give those files their names, and answer for each.

        A repeat finishes what an earlier delivery of the same event began, and gives its answers again in the same
        order. On the last try a file that is refused has failed. Of several events, which settle together, the last
        numbers what is due. `placed` is one whose file lies there now.

        Two processes may be at it, when a message was delivered to both. So look again after the file is there: if
        the other one has stored the design meanwhile, or it was given up, nobody comes for this file any more.

        What its turn is too short for has its number, and goes on by its own acceptance, told once more.
        """
        turn = Turn(events, placed)
        self._together.do(events[-1].session_id, turn)
        if placed and not turn.is_awaited:
            self.discard(Design(placed, "accepted"))
        until, named = time.monotonic() + self.turn_s, False
        for design in turn.answers:
            if design.state != "numbered":
                yield from self._answer(design)
            elif named and time.monotonic() >= until:
                yield design.event
            else:
                named = True
                yield from self._answer(self._finish(design, last_try=last_try))

    @cached_property
    def _together(self) -> Together[Turn]:
        return Together(self._number)

    def _number(self, turns: Sequence[Turn]) -> None:
        """Settle messages of one session together: each would wait for the others' transactions anyway."""
        session_id, free_on_nas = turns[0].events[-1].session_id, dict[str, int]()
        while unseen := self.numbers.give(session_id, turns, free_on_nas):
            free_on_nas |= {key: self._first_free(place) for key, place in unseen.items()}

    def _answer(self, design: Design) -> Iterator[Answer]:
        if (outcome := design.outcome()) is not None:
            # in this order: whoever puts the file there again after this sees that nobody waits for it (`place`)
            self.discard(design)
            yield outcome

    def keep_copy(self, path: str, content: Blob) -> None:
        """Put a blob at a path. Other content there is kept, and this one gets a name with its own hash's beginning.

        So nothing is ever lost, and an old message that is delivered again can't bring an old picture back.
        """
        source = self._source(content)
        try:
            self.nas.put(path, source, content.sha256, content.size)
        except NameTaken:
            stem, dot, ending = path.rpartition(".")
            beside = f"{stem}~{content.sha256[:6]}.{ending}" if dot else f"{path}~{content.sha256[:6]}"
            self.nas.put(beside, source, content.sha256, content.size)

    def _finish(self, design: Design, *, last_try: bool, numbers: int = NUMBERS) -> Design:
        """Give a numbered design its name; return how it stands then.

        Where its number is taken on the NAS it gets the next free one, and that a few times: whatever is in the way of
        all of them (a file in place of the folder, say) is none of theirs.
        """
        try:
            self._name(design)
        except NameTaken as error:
            if not numbers:
                self._give_up(design, error)
                return self.designs.find(design.event.item_id)
            self.numbers.give_another(design, self._first_free(design.event.destination))
            renumbered = self.designs.find(design.event.item_id)
            if renumbered.state != "numbered":
                return renumbered
            return self._finish(renumbered, last_try=last_try, numbers=numbers - 1)
        except Permanent as error:
            self._give_up(design, error)
        except Retryable as error:
            if not last_try or isinstance(error, Unavailable):
                raise
            self._give_up(design, error)
        else:
            return self.designs.stored(design)
        return self.designs.find(design.event.item_id)

    def _give_up(self, design: Design, error: Exception) -> None:
        """Let another design have its number, unless the NAS did what it refused: the name is taken then."""
        if self._lies_there(design):
            self.designs.stored(design)
        else:
            self.numbers.take_back(design, _in_words(design, error))
            _log(design, error)

    def _lies_there(self, design: Design) -> bool:
        content = design.event.print_file
        try:
            return self.nas.verify(design.path, content.sha256, content.size)
        except Unavailable:
            raise
        except (Permanent, Retryable):
            return False

    def _name(self, design: Design) -> None:
        content = design.event.print_file
        try:
            self.nas.move(design.staging, design.path, content.sha256)
        except FileGone:  # somebody tidied up hidden files
            self._put_staged(design)
            self._name_anew(design)
        if not self.nas.verify(design.path, content.sha256, content.size):
            self._set_aside(design)
            raise Retryable(f"'{design.path}' came back changed from the NAS: check its disks and network")

    def _set_aside(self, design: Design) -> None:
        """Take its name from a damaged file: a person would print it. Kept hidden, as somebody may look into it."""
        aside = damaged_path(design.folder, design.event.item_id)
        self.nas.delete(aside)  # of an earlier try
        try:
            self.nas.move(design.path, aside, design.event.print_file.sha256)
        except FileGone as error:
            raise Retryable(f"'{design.path}' has just been removed on the NAS by somebody else") from error
        log.warning("a file came back damaged from the NAS: it is set aside", path=design.path, now=aside)

    def _name_anew(self, design: Design) -> None:
        """Rename the copy that was just put there again. If it is gone already, somebody still tidies up: try later."""
        try:
            self.nas.move(design.staging, design.path, design.event.print_file.sha256)
        except FileGone as error:
            words = "a program on the NAS removes its hidden copy again and again; let that leave hidden files alone"
            raise Retryable(words) from error

    def _put_staged(self, design: Design) -> None:
        content = design.event.print_file
        try:
            source = self._source(content)
            try:
                self.nas.put(design.staging, source, content.sha256, content.size)
            except NameTaken:  # it was damaged there: only this file ever gets this name
                self.nas.delete(design.staging)
                self.nas.put(design.staging, source, content.sha256, content.size)
        except Permanent as error:
            if self._sound(content):
                raise
            words = "its print file is lost or damaged on the server; try it again, and it is made anew"
            raise Permanent(f"{words} ({content.sha256[:12]})") from error

    def _remove(self, *hidden: str) -> None:
        for path in hidden:
            try:
                self.nas.delete(path)
            except (NasRefused, Permanent) as error:  # it is in nobody's way
                log.warning("left a file that nobody needs", path=path, cause=str(error))

    def _source(self, content: Blob) -> Path:
        source = self.blobs.path(content)
        if not source.exists():
            if not self.blobs.root.is_dir():
                raise Unavailable(f"the blob store {self.blobs.root} is not there (not mounted?)")
            raise Permanent(f"blob {content.sha256[:12]} is gone from the blob store")
        return source

    def _sound(self, content: Blob) -> bool:
        try:
            return bool(self.blobs.get(content))
        except Permanent:
            return False

    def _first_free(self, place: Destination) -> int:
        folder = design_folder(place.shop, place.template, digital=place.digital)
        names = (found.path.rpartition("/")[2] for found in self.nas.list(folder))
        numbers = (number_of(name, place.template, digital=place.digital) for name in names)
        return first_free(number for number in numbers if number is not None)


def _in_words(design: Design, error: Exception) -> str:
    return f"{design.event.filename} could not be stored: {error}"


def _log(design: Design, error: Exception) -> None:
    """Why a design failed, for whoever looks after NAS and blob store: no dead letter tells of it."""
    session, file = str(design.event.session_id), design.event.filename
    log.warning("a design can't be stored", filename=file, session_id=session, cause=repr(error))
