"""Folders, made one by one from above."""

import errno

from shared.nas.backend import Backend, P


def make_folders(files: Backend[P], folder: P, root: P | None = None) -> None:
    """Make a folder and what is missing above it, but never the root: that would be a mount point's empty folder."""
    missing = []
    while folder not in (root, folder.parent) and not _is_folder(files, folder):
        missing.append(folder)
        folder = folder.parent
    for new in reversed(missing):
        try:
            files.make_directory(new)
        except FileExistsError:
            _is_folder(files, new)  # somebody else was quicker


def _is_folder(files: Backend[P], path: P) -> bool:
    try:
        if files.stat(path).is_directory:
            return True
    except FileNotFoundError:
        return False
    raise NotADirectoryError(errno.ENOTDIR, "a file is in the way", str(path))
