"""The operating system's error numbers in words that say what to do."""

import errno
import os

import pytest

from shared.errors import Permanent, Retryable, Unavailable
from shared.nas.errors import BadPath, NameTaken, NasFull, NasRefused, NasUnavailable, nas_error, passes


@pytest.mark.parametrize(
    ("number", "kind", "advice"),
    [
        (errno.ENOSPC, NasFull, "free some space"),
        (errno.EDQUOT, NasFull, "raise the quota"),
        (errno.EROFS, NasUnavailable, "mount it read-write"),
        (errno.EACCES, NasUnavailable, "give it the right"),
        (errno.ESTALE, NasUnavailable, "check its power, the network and the mount"),
        (errno.EIO, NasUnavailable, "check its power, the network and the mount"),
        (errno.EHOSTDOWN, NasUnavailable, "check its power, the network and the mount"),
        (errno.EBUSY, NasRefused, "close it where it is open"),
        (errno.EEXIST, NameTaken, "rename or remove it"),
        (errno.ENAMETOOLONG, BadPath, "use a shorter or plainer one"),
        (errno.EINVAL, BadPath, "use a shorter or plainer one"),
        (errno.EFBIG, Permanent, "file system does not allow it"),
        (errno.EMFILE, Retryable, "Too many open files"),
    ],
)
def test_each_error_says_what_was_tried_and_what_to_do(number: int, kind: type[Exception], advice: str) -> None:
    verdict = nas_error(OSError(number, os.strerror(number)), "store 'a.png' on the NAS /mnt/nas")
    assert type(verdict) is kind
    assert str(verdict).startswith("can't store 'a.png' on the NAS /mnt/nas: ")
    assert advice in str(verdict)


def test_only_a_nas_that_is_away_costs_a_message_no_attempt() -> None:
    assert issubclass(NasUnavailable, Unavailable)
    assert issubclass(NasFull, Unavailable)
    assert not issubclass(NasRefused, Unavailable)
    assert issubclass(NameTaken, Permanent)
    assert issubclass(BadPath, Permanent)


@pytest.mark.parametrize(
    "number", [errno.ESTALE, errno.EIO, errno.ETIMEDOUT, errno.ECONNRESET, errno.EAGAIN, errno.EBUSY]
)
def test_what_passes_is_tried_again_within_the_call(number: int) -> None:
    assert passes(OSError(number, os.strerror(number)))


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "full"), OSError(errno.EROFS, "ro"), NameTaken("x"), ValueError("x")]
)
def test_what_does_not_pass_is_not_tried_again(error: Exception) -> None:
    assert not passes(error)
