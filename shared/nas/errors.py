"""What a NAS can refuse, and the operating system's error numbers in those words."""

import errno

from shared.errors import Permanent, Retryable, Unavailable

# Seen on NFS and CIFS mounts during a failover, a reconnect or a lost answer: the same call may work a second later.
ABSENT = frozenset(
    {errno.ESTALE, errno.EIO, errno.ETIMEDOUT, errno.ECONNRESET, errno.ECONNABORTED}
    | {errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.ENETDOWN, errno.ENETUNREACH, errno.ENOTCONN}
)
FAULTY = frozenset({errno.EIO})  # of those, what a server may answer, too
BUSY = frozenset({errno.EAGAIN, errno.EBUSY})
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
READ_ONLY = frozenset({errno.EROFS})
FORBIDDEN = frozenset({errno.EACCES, errno.EPERM})
OCCUPIED = frozenset({errno.EEXIST, errno.EISDIR, errno.ENOTDIR, errno.ENOTEMPTY, errno.ELOOP})
UNSPEAKABLE = frozenset({errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ})
TOO_LARGE = frozenset({errno.EFBIG, errno.EXDEV})


class NasUnavailable(Unavailable):
    """The NAS as a whole can't be used: not mounted, gone, full or read-only. Somebody has to mend it; work waits."""


class NasFull(NasUnavailable):
    """No space, or a quota is used up."""


class NasRefused(Retryable):
    """The NAS works, but not for this path (a folder's permissions, a file in use). Others are not held up by it."""


class NameTaken(Permanent):
    """The name belongs to other content already. Nothing was overwritten."""


class BadPath(Permanent):
    """The path leads out of the NAS folder, or is no name that a NAS can hold."""


class FileGone(Permanent):
    """There is no such file on the NAS."""


def passes(error: BaseException) -> bool:
    """Whether the same call is worth another try within seconds."""
    return isinstance(error, OSError) and error.errno in ABSENT | BUSY


def nas_error(error: OSError, what: str) -> Exception:
    """Our error for the system's: `what` says what was tried ("store 'a/b.png' on the NAS /mnt/nas")."""
    cause = error.strerror or str(error)
    for numbers, kind, words in VERDICTS:
        if error.errno in numbers:
            return kind(f"can't {what}: {words.format(cause=cause)}")
    return Retryable(f"can't {what}: {cause}")


OF_SHOPS = "of a shop's own NAS: what stands in NAS_SHOPS"
OF_FAULT = (  # a server that answers "Failure" answers; an interrupted mount says the same as a bad disk
    "the NAS does not answer, or only with a fault ({cause}); look at its disks, quotas and rights, "
    "and check its power, the network and the mount"
)

VERDICTS: tuple[tuple[frozenset[int], type[Exception], str], ...] = (
    (FULL, NasFull, "the NAS is full ({cause}); free some space or raise the quota, the work goes on by itself"),
    (READ_ONLY, NasUnavailable, "the NAS is mounted read-only; mount it read-write"),
    (FORBIDDEN, NasUnavailable, "this account has no right to ({cause}); give it the right on the NAS"),
    (FAULTY, NasUnavailable, OF_FAULT),
    (ABSENT, NasUnavailable, "the NAS does not answer ({cause}); check its power, the network and the mount"),
    (BUSY, NasRefused, "it is in use ({cause}); close it where it is open"),
    (OCCUPIED, NameTaken, "a file or folder is in the way ({cause}); rename or remove it"),
    (UNSPEAKABLE, BadPath, "the NAS can't hold that name ({cause}); use a shorter or plainer one"),
    (TOO_LARGE, Permanent, "the NAS's file system does not allow it ({cause})"),
)
