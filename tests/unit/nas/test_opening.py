"""Which NAS a setting names."""

from pathlib import Path

import pytest

from shared.nas import PathNas, open_nas


@pytest.mark.parametrize(
    ("setting", "root"),
    [
        ("/mnt/nas/Graphics", "/mnt/nas/Graphics"),
        ("file:///mnt/my%20nas", "/mnt/my nas"),
        ("file://localhost/mnt/nas", "/mnt/nas"),
        ("var/nas", str(Path("var/nas").absolute())),
    ],
)
def test_a_path_or_a_file_url_names_a_mounted_folder(setting: str, root: str) -> None:
    nas = open_nas(setting, require_mount=True)
    assert isinstance(nas, PathNas)
    assert nas.root == Path(root)
    assert nas.marker.require_mount


@pytest.mark.parametrize("setting", ["sftp://nas/Graphics", "smb://nas/Graphics", "s3://bucket"])
def test_another_protocol_is_refused_with_what_works_instead(setting: str) -> None:
    with pytest.raises(ValueError, match="is not supported: mount it, and give its path or a file:// URL"):
        open_nas(setting)


@pytest.mark.parametrize("setting", ["file://nas/Graphics", "file://", "file:///", "", "  "])
def test_a_setting_that_names_no_folder_is_refused(setting: str) -> None:
    with pytest.raises(ValueError, match=r"names no folder of this machine|no NAS is set"):
        open_nas(setting)
