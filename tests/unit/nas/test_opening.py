"""Which NAS a setting names."""

import re
import subprocess
import sys
from pathlib import Path

import asyncssh
import pytest

from shared.nas import PathNas, open_nas
from shared.nas.errors import NasUnavailable
from shared.nas.ssh import Line, SshLogin, fingerprint

ROOT = Path(__file__).parents[3]


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


@pytest.mark.parametrize("setting", ["ftp://nas/Graphics", "nfs://nas/Graphics", "https://nas/Graphics"])
def test_another_protocol_is_refused_with_what_works_instead(setting: str) -> None:
    with pytest.raises(ValueError, match="is not supported: mount it, and give its path or a file:// URL"):
        open_nas(setting)


@pytest.mark.parametrize(
    ("setting", "why"),
    [
        ("sftp://nas/Graphics", "names no folder of a server: write sftp://user@"),
        ("sftp://user@nas/", "names no folder of a server: write sftp://user@"),
        ("smb://user@nas", "names no folder of a server: write smb://user@"),
        ("s3://bucket", "names no folder of a bucket: write s3://"),
        ("sftp://user:secret@nas/Graphics", "take it out of NAS_URL, and set NAS_PASSWORD"),
        ("sftp://user@nas/Graphics?timeot=3", "timeot is no option of sftp://"),
        ("smb://user@nas/Graphics?timeout=soon", "timeout=soon is no number of seconds"),
        ("sftp://user@nas/Graphics?timeout=0", "timeout=0 is no number of seconds"),
        ("s3://bucket/Graphics?timeout=nan", "timeout=nan is no number of seconds"),
        ("smb://user@nas/Graphics/Cups #1", "a # in a URL is written %23"),
        ("file:///mnt/nas/Cups #1", "a # in a URL is written %23"),
    ],
)
def test_a_url_that_can_not_be_meant_is_refused_in_words(setting: str, why: str) -> None:
    with pytest.raises(ValueError, match=re.escape(why)) as refusal:
        open_nas(setting)
    assert "user:secret" not in str(refusal.value)


def test_a_host_key_is_pinned_by_its_fingerprint_or_by_itself() -> None:
    key = asyncssh.generate_private_key("ssh-ed25519").convert_to_public()
    line = key.export_public_key().decode().strip()
    for written in (key.get_fingerprint(), line, f"nas.local {line}", f"{line} root@nas"):
        assert fingerprint(written) == key.get_fingerprint()
    with pytest.raises(ValueError, match="neither a fingerprint"):
        fingerprint("not a key")


@pytest.mark.parametrize("named", ["a folder", "nothing", "no key"])
def test_a_private_key_that_can_not_be_read_is_not_taken_for_a_nas_that_does_not_answer(
    tmp_path: Path, named: str
) -> None:
    (tmp_path / "a folder").mkdir()
    (tmp_path / "no key").write_text("rose")
    login = SshLogin("127.0.0.1", 1, "user", "", str(tmp_path / named), (), 5)
    with pytest.raises(NasUnavailable, match="NAS_PRIVATE_KEY is no private key"):
        Line(login).client()


def test_a_mounted_nas_does_not_load_what_other_protocols_need() -> None:
    script = "import sys, services.storage.settings as s; s.Settings().nases(); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert not {"asyncssh", "smbclient", "obstore"} & set(loaded.split())


@pytest.mark.parametrize("setting", ["file://nas/Graphics", "file://", "file:///", "", "  "])
def test_a_setting_that_names_no_folder_is_refused(setting: str) -> None:
    with pytest.raises(ValueError, match=r"names no folder of this machine|no NAS is set"):
        open_nas(setting)
