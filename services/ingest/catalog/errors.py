"""How the catalog refuses. Each error's text is for the user and says what to do."""


class Missing(Exception):  # noqa: N818
    """There is no such thing, or it is not this user's: the two must not be told apart from outside. HTTP 404."""


class Unusable(Exception):  # noqa: N818
    """What was chosen or sent can't be used as it is. HTTP 422."""


class InUse(Exception):  # noqa: N818
    """It can't go while something else needs it. HTTP 409."""
