"""The seller's NAS behind a small protocol, and the names that survive on it: a mounted path, SFTP, SMB or S3."""

from shared.nas.address import Access, open_nas
from shared.nas.path import PathNas
from shared.nas.protocol import Nas, Stat

__all__ = ["Access", "Nas", "PathNas", "Stat", "open_nas"]
