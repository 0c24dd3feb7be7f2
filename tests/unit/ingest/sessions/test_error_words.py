"""What an error means to a seller: never SQL, ids or a stack; our own words as they are."""

import pytest

from services.ingest.sessions.error_words import awaited, beside, cause_in_words, for_seller

SQL = (
    'InternalError: (psycopg.errors.RaiseException) index "designs_x" is broken\nCONTEXT:  PL/pgSQL function f()\n\n'
    "[SQL: INSERT INTO storage.designs (item_id) VALUES (%(item_id)s::UUID)]\n[parameters: {'item_id': UUID('1')}]"
)


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        (SQL, "the database refused it"),
        (f"{SQL} (after 6 attempts)", "the database refused it"),
        ("NasFull: the NAS is full; free some space", "the NAS is full; free some space"),
        ("Retryable: the shelf: is locked (after 6 attempts)", "the shelf: is locked"),
        ("Unavailable: the database can't be used: connection to server at 10.0.0.7", "the database can't be used"),
        ("OSError: [Errno 122] Disk quota exceeded: '/srv/blobs/a1'", "disk quota exceeded"),
        ("KeyError: 'tenant'", "a fault on the server (KeyError)"),
        ("its consumer died each time it was delivered", "its consumer died each time it was delivered"),
    ],
)
def test_a_cause_becomes_words_for_people(cause: str, words: str) -> None:
    assert cause_in_words(cause) == words


REFUSED = "the NAS nas.local:22: [Errno 111] Connect call failed ('10.0.0.7', 22)"
AWAY = f"the NAS does not answer ({REFUSED}); check its power, the network and the mount"
BACK = "; it goes on by itself when the NAS is back, and whoever runs this server knows how"


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        (
            f"NasUnavailable: can't store 'Cups: {100 * 'long'}/.1f26.0.staged' on the NAS sftp://nas.local/x: {AWAY}",
            f"the NAS does not answer{BACK}",
        ),
        (
            "NasFull: can't store 'a.png' (7 bytes) on the NAS /mnt/nas: the NAS is full (3 bytes are free); make room",
            "the NAS is full (3 bytes are free); make room",
        ),
        (
            "NasUnavailable: /mnt/nas is not the NAS (.presswork-nas is missing): mount it; a new one must be made",
            f"the NAS is not there{BACK}",
        ),
        (
            "NasUnavailable: another NAS is mounted at /mnt/nas than before; mount the right one or restart",
            f"another NAS is mounted than before{BACK}",
        ),
        ("NasUnavailable: nothing is mounted at /mnt/nas: mount the NAS", f"nothing is mounted{BACK}"),
        *(
            (f"NasUnavailable: can't read 'a.png': {AWAY.replace(REFUSED, cause)}", f"the NAS does not answer{BACK}")
            for cause in (
                "the NAS nas.local:22 says nothing",
                "the NAS nas.local:22: Connection lost",
                "the NAS nas.local:22: [Errno -2] Name or service not known",
                "no answer within 30 s",
            )
        ),
        (
            "NasUnavailable: can't read 'a': the NAS does not answer, or only with a fault (smbd (4): no); look",
            f"the NAS does not answer, or only with a fault{BACK}",
        ),
        (
            "NasUnavailable: the NAS sftp://nas/x overwrites a file when another is renamed to it: it is not safe",
            f"the NAS overwrites a file when another is renamed to it{BACK}",
        ),
        (
            "NasUnavailable: .presswork-nas on sftp://nas.local/x is damaged: put it back from a copy, or delete it",
            f".presswork-nas on the NAS is damaged{BACK}",
        ),
        ("NasUnavailable: there is no bucket 'anas': make it, or correct it", f"the NAS's bucket is not there{BACK}"),
        (
            "NasUnavailable: can't look up 'Cups/a.png' on the NAS /n: this account has no right to (refused); give it",
            f"this account has no right to (refused){BACK}",
        ),
        (
            "NasUnavailable: the NAS nas.local:22 refuses the login of 'ana': check NAS_PASSWORD (after 2 attempts)",
            f"the NAS refuses the login{BACK}",
        ),
        (
            "NasUnavailable: the NAS nas.local:22 shows another host key (SHA256:x) than the one in NAS_HOST_KEY: no",
            f"the NAS shows another host key{BACK}",
        ),
        (
            "NasUnavailable: the NAS nas.local:22 has the host key SHA256:x; if the NAS itself says so, set it",
            f"the NAS's host key is not confirmed{BACK}",
        ),
        (
            "NasUnavailable: the NAS nas.local:22 offers no SFTP: switch it on there for 'ana'",
            f"the NAS offers no SFTP{BACK}",
        ),
        ("NasUnavailable: nas.local has no such share: correct its name", f"the NAS has no such share{BACK}"),
        ("NasUnavailable: the bucket 'b' refuses this key: check it", f"the NAS refuses the login{BACK}"),
        ("NasUnavailable: NAS_PRIVATE_KEY is no private key: /etc/x", f"the server has no key for the NAS{BACK}"),
        (
            "Unreachable: Etsy can't be reached (ConnectError)",
            "Etsy can't be reached; it goes on by itself when Etsy is back",
        ),
        (
            "Unreachable: Etsy answered getListing not at all (ReadTimeout)",
            "Etsy answered getListing not at all; it goes on by itself when Etsy is back",
        ),
        (
            "QuotaSpent: Etsy asks to wait 90 s: what is to do waits, and goes on",
            "Etsy asks to wait 90 s: what is to do waits, and goes on",
        ),
        (
            "NasFull: can't put '.1.staged' (2.1 MB) on the NAS /a: the NAS is full (65 MB are free, 64 MB are kept",
            "the NAS is full (65 MB are free, 64 MB are kept",
        ),
        (
            "Unavailable: the blob store has no room (68108864 bytes are free)",
            "the blob store has no room (68 MB are free)",
        ),
        (
            "Unavailable: the blob store at /srv/blobs can't be written: [Errno 28] No space left on device",
            "the server's disk can't be written: No space left on device",
        ),
        (
            "Unavailable: blob 3f2a can't be read: [Errno 5] Input/output error: '/srv/blobs/3f/3f2a'",
            "blob 3f2a can't be read: Input/output error",
        ),
        ("Unavailable: the database can't be used: connection to 10.0.0.7", "the database can't be used"),
        *(
            (f"Unavailable: {told}", words)
            for told, words in (
                (
                    "the blob store at /srv/my files/blobs can't be written: [Errno 28] No space left on device",
                    "the server's disk can't be written: No space left on device",
                ),
                ("the blob store /srv/my files/blobs is not there (not mounted?)", "the server's disk is not there"),
                ("the blob store var/b is not there (not mounted? see BLOB_DIR)", "the server's disk is not there"),
                (
                    "the remembered results in /srv/my files/blobs/derived can't be read: [Errno 5] Input/output error",
                    "the server's disk can't be read: Input/output error",
                ),
                (
                    "the results in /srv/blobs/derived can't be written: [Errno 30] Read-only file system: '/srv/x'",
                    "the server's disk can't be written: Read-only file system",
                ),
                (
                    "the listings folder /srv/my files/listings can't be written: [Errno 28] No space left on device",
                    "the listings folder can't be written: No space left on device",
                ),
                (
                    "/srv/my files/a3/a3eb, which is to be stored on the NAS, can't be read: [Errno 24] Too many: 'x'",
                    "the server's copy of a file can't be read: Too many",
                ),
            )
        ),
        (
            "Retryable: /srv/blobs/a3/a3eb, which is to be stored on the NAS, is gone (after 2 attempts)",
            "the server's copy of a file is gone",
        ),
    ],
)
def test_who_waits_reads_what_for_and_not_which_file_met_it_or_where_the_server_is(cause: str, words: str) -> None:
    assert awaited(cause) == words.removeprefix("NasUnavailable: ")


def test_the_reason_of_a_failed_file_names_nothing_of_the_server() -> None:
    reason = "can't rename '.d558.0.staged' on the NAS /srv/nas: a file or folder is in the way; remove it"
    assert for_seller(reason) == ("can't rename the file on the NAS: a file or folder is in the way; remove it")
    lost = "rose.png could not be stored: /srv/my files/a3/a3eb, which is to be stored on the NAS, is gone"
    assert for_seller(lost) == "rose.png could not be stored: the server's copy of a file is gone"


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ("can't store '{}/.1f26-a.0.staged' on the NAS sftp://nas.local/x", "can't store a file in '{}' on the NAS"),
        ("can't look up '{}/.1f26-a.0.staged' on the NAS /n", "can't look up a file in '{}' on the NAS"),
        ("can't rename a file to '{}/UV 1.png' on the NAS /n", "can't rename a file to '{}/UV 1.png' on the NAS"),
    ],
    ids=["store", "look up", "rename"],
)
@pytest.mark.parametrize("folder", ["Cups", "NorthCups/Kid's Cup (L)"], ids=["plain", "quoted"])
def test_where_one_folder_is_the_trouble_its_path_on_the_nas_is_named(told: str, words: str, folder: str) -> None:
    why = "this account has no right to (Permission denied); give it the right on the NAS"
    cause = f"{told.format(folder)}: {why}"
    assert awaited(f"NasRefused: {cause}") == for_seller(cause) == f"{words.format(folder)}: {why}"
    failed = f"can't.png could not be stored: {cause}"
    assert for_seller(failed) == f"can't.png could not be stored: {words.format(folder)}: {why}"


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("a.png: not an image; export it as PNG or JPEG", "not an image; export it as PNG or JPEG"),
        ("a.png could not be stored: the NAS is full", "could not be stored: the NAS is full"),
        ("UV 100.png: photograph 1: no print area", "photograph 1: no print area"),
        ("the same file as a.png in this upload", "the same file as a.png in this upload"),
        ("a.png.exe: not an image", "a.png.exe: not an image"),
        (None, ""),
    ],
)
def test_beside_the_name_a_reason_does_not_begin_with_it(reason: str | None, words: str) -> None:
    assert beside(reason, "a.png", None, "UV 100.png") == words


def test_what_only_begins_like_a_name_stays() -> None:
    assert beside("the NAS refused it", "the") == "the NAS refused it"
