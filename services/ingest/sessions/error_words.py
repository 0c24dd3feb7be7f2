"""What an error means to people: our own words as they are, a library's without its insides. Pure."""

import re

KIND = re.compile(r"^[A-Za-z_][\w.]*(?=: |$)")
ATTEMPTS = re.compile(r" \(after \d+ attempts\)$")
OF_SYSTEM = re.compile(r"^\[Errno \d+\] ([^:]+)")
OF_NAS = re.compile(r": ((?:the NAS|this account) .+)$")
OF_ALL = ("NasUnavailable", "NasFull")
SOCKET = re.compile(r" \([^(]*\[Errno \d+\].*\)(?=;|$)")
PLACE = r"(?:/|[a-z0-9]+://)\S+?(?=[:;,]?(?:\s|$))"
OF_SERVER = (
    (re.compile(rf"^{PLACE} is not the NAS \([^)]*\)"), "the NAS is not there"),
    (re.compile(r"^(?:the NAS )?\S+ (refuses the login) of '.*?'"), r"the NAS \1"),
    (re.compile(r"^the bucket '.*?' refuses this key"), "the NAS refuses the login"),
    (re.compile(r"^the NAS \S+ (shows another host key|offers no SFTP)\b[^;]*?(?=: |$)"), r"the NAS \1"),
    (re.compile(r"^the NAS \S+ has the host key [^\s;]+"), "the NAS's host key is not confirmed"),
    (re.compile(r"^\S+ has no such share"), "the NAS has no such share"),
    (re.compile(r"^NAS_PRIVATE_KEY is no private key"), "the server has no key for the NAS"),
    (re.compile(r"^(the NAS does not answer[^(]*) \(.*\)(?=;|$)"), r"\1"),
    (re.compile(r"^the NAS \S+ (overwrites a file)"), r"the NAS \1"),
    (re.compile(r"^(\S+ )on \S+ (is damaged)(?=:)"), r"\1on the NAS \2"),
    (re.compile(r"^there is no bucket '[^']*'"), "the NAS's bucket is not there"),
    (re.compile(rf"\b(on the NAS|mounted) (?:at )?{PLACE}"), r"\1"),
    (re.compile(r"\b(can't (?:[a-z]+ )+)'(.+?)/\.[^/]+?\.staged'"), r"\1a file in '\2'"),
    (re.compile(r"'[^']*\.staged'"), "the file"),
    (re.compile(r"^the (?:blob store at|(?:remembered )?results in) .+? (can't be \w+)"), r"the server's disk \1"),
    (re.compile(r"^the blob store .+? (is not there) \(.*\)"), r"the server's disk \1"),
    (re.compile(r"^(the listings folder) .+? (can't be \w+)"), r"\1 \2"),
    (re.compile(r"(^|: )/.+?, which is to be stored on the NAS,"), r"\1the server's copy of a file"),
    (re.compile(r"(can't be (?:read|written)): \[Errno \d+\] ([^:]+).*$"), r"\1: \2"),
)
SIZE = re.compile(r"\b(\d{6,}) bytes( are free)?")
ADVICE = re.compile(r"[:;] .*$")
ERROR_KIND = re.compile(r" \(\w+\)$")
OF_ABSENT = "Absent: "
PART_GOES_ON = "a part of the server is not running; it goes on by itself when that runs again"
NAS_GOES_ON = "; it goes on by itself when the NAS is back, and whoever runs this server knows how"
ETSY_GOES_ON = "; it goes on by itself when Etsy is back"
MOST = 300
OF_A_FILE = (": ", " could not be ", " got no ")
"""What follows a file's name where a reason begins with it. "the NAS refused it" is not about a file called "the"."""


def cause_in_words(cause: str) -> str:
    """A cause as deliveries write it ("KeyError: 'x'", "NasFull: the NAS is full"), for who waits or has lost a file.

    Our own errors have no "Error" in their names, and say what happened and what to do.
    """
    cause = ATTEMPTS.sub("", cause)
    found = KIND.match(cause)
    if found is None:  # the broker's own
        return cause[:MOST]
    kind, words = found[0].rpartition(".")[2], cause[found.end() + 2 :]
    if "psycopg" in cause or "[SQL: " in cause:
        return "the database refused it"
    if not kind.endswith(("Error", "Exception")) and words:
        # what follows names servers and sockets: for the log
        return words.split(": ")[0] if words.startswith("the database") else words[:MOST]
    system = OF_SYSTEM.match(words)
    return system[1].lower() if system else f"a fault on the server ({kind})"


def awaited(cause: str) -> str:
    """A cause as a seller reads it whose work waits: without the server's name, and without the file that met it first.

    Only where the rest of the NAS can be used is the path named, as it is the trouble then. What to mend on the server
    is for its operator, and left out.
    """
    if cause.startswith(OF_ABSENT):
        return PART_GOES_ON
    found = OF_NAS.search(ATTEMPTS.sub("", cause)) if cause.startswith(OF_ALL) else None
    words = for_seller(SOCKET.sub("", found[1] if found else cause_in_words(cause)))
    if cause.startswith("NasUnavailable"):
        words = ADVICE.sub("", words) + NAS_GOES_ON
    elif cause.startswith("Unreachable") and not words.endswith("goes on"):
        words = ERROR_KIND.sub("", words) + ETSY_GOES_ON
    return words[:MOST]


def beside(reason: str | None, *names: str | None) -> str:
    """A reason as it reads beside its file's name, of which it may have several: without that at its beginning.

    Reasons name their file, as they are read alone too: in events, logs and dead letters.
    """
    reason = reason or ""
    for name in filter(None, names):
        rest = reason.removeprefix(name)
        if rest != reason and rest.startswith(OF_A_FILE):
            return rest.removeprefix(":").lstrip()
    return reason


def for_seller(words: str) -> str:
    """Our words for a seller: not where the server has its NAS, of a hidden file its folder; large sizes in MB."""
    for pattern, instead in OF_SERVER:
        words = pattern.sub(instead, words)
    return SIZE.sub(lambda found: f"{int(found[1]) / 1e6:.0f} MB{found[2] or ''}", words)
