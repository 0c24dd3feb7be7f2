"""A NAS that the operating system has mounted, or a plain folder.

Mount it so that a call fails in the end instead of hanging for ever: NFS with `softerr,timeo=50`, SMB with
`soft,echo_interval=15`. There is no list of files on the NAS itself: appending to one file from several machines is not
safe on NFS or SMB, and the storage service's tables hold the same.
"""

from pathlib import Path

from shared.nas.files import Files
from shared.nas.verified_nas import FIRST_WAIT_S, SPARE_BYTES, VerifiedNas


class PathNas(VerifiedNas[Path]):
    """See `Nas`."""

    def __init__(
        self,
        root: Path,
        *,
        require_mount: bool = False,
        spare_bytes: int = SPARE_BYTES,
        files: Files | None = None,
        first_wait_s: float = FIRST_WAIT_S,
    ) -> None:
        super().__init__(
            root.absolute(),
            files or Files(),
            str(root.absolute()),
            require_mount=require_mount,
            spare_bytes=spare_bytes,
            first_wait_s=first_wait_s,
        )
