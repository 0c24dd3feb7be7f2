"""What the owner of a mockup has to mend, in words."""


class NotRenderable(ValueError):  # noqa: N818 - reads as the adjective it is: raise NotRenderable(...)
    """A design, photograph or mask that nothing can be rendered from; the text says why and what to do.

    Whoever passes it on puts before it which one it is, counted from 1.
    """


class Mistaken(NotRenderable):
    """A template file with mistakes: all of them together as its text, and each in `mistakes`."""

    def __init__(self, mistakes: tuple[str, ...]) -> None:
        super().__init__("; ".join(mistakes))
        self.mistakes = mistakes
