"""Folders, made one by one from above."""

import errno

from shared.nas.backend import Backend, P


def make_folders(files: Backend[P], folder: P, root: P | None = None) -> None:
    """Make a folder and what is missing above it, but never the root: that would be a mount point's empty folder."""
    missing = []
    while folder not in (root, folder.parent) and not _is_folder(files, folder, root):
        missing.append(folder)
        folder = folder.parent
    for new in reversed(missing):
        try:
            files.make_directory(new)
        except FileExistsError:
            _is_folder(files, new, root)  # somebody else was quicker


def _is_folder(files: Backend[P], path: P, root: P | None) -> bool:
    try:
        if files.stat(path).is_directory:
            return True
    except (FileNotFoundError, NotADirectoryError):  # the second: further up
        return False
    shown = path.relative_to(root) if root else path
    raise NotADirectoryError(errno.ENOTDIR, f"'{shown.as_posix()}' is no folder", str(path))
