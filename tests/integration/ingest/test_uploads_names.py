"""File names that mean harm or merely look odd: they are shown to people, and are never a path."""

import json
from collections.abc import Iterator
from pathlib import Path

from tests.integration.ingest import artworks
from tests.integration.ingest.frontend import Shop

PERSIAN = "\u0646\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645.png"  # with a zero-width non-joiner in its middle
LONG = "a long name " * 25 + "that ends here.png"

NAMES = [
    (b"../../etc/passwd", "../../etc/passwd"),
    (b"/etc/cron.d/job", "/etc/cron.d/job"),
    (b"..\\\\..\\\\boot.ini", "..\\..\\boot.ini"),
    (b"C:\\\\fakepath\\\\rose.png", "rose.png"),
    (b"nul\x00byte.png", "nul\ufffdbyte.png"),
    (b"CON.png", "CON.png"),
    (LONG.encode(), f"{LONG[:202]}...{LONG[-50:]}"),
    ("photo\u202egnp.exe".encode(), "photo\ufffdgnp.exe"),
    (b"Rose.png", "Rose.png"),
    (b"rose.PNG", "rose.PNG"),
    (b"", "unnamed"),
    (b".", "."),
    (b"..", ".."),
    (b" ", " "),
    (b"~", "~"),
    (b'say \\"hello\\".png', 'say "hello".png'),
    (b"line%0D%0Abreak.png", "line%0D%0Abreak.png"),
    (b"tab\there.png", "tab\ufffdhere.png"),
    (b"\x1b[31mred.png", "\ufffd[31mred.png"),
    (b"caf\xe9.png", "caf\ufffd.png"),
    ("caf\u00e9 \u65e5\u672c\u8a9e \U0001f375.png".encode(), "caf\u00e9 \u65e5\u672c\u8a9e \U0001f375.png"),
    ("Bildschirmfoto\u202f10.00\u00a0Uhr.png".encode(), "Bildschirmfoto 10.00 Uhr.png"),
    (PERSIAN.encode(), PERSIAN),
    (b"<script>alert(1)</script>.png", "<script>alert(1)</script>.png"),
    (b"'; DROP TABLE items; --.png", "'; DROP TABLE items; --.png"),
    (b"%2e%2e%2fpercent.png", "%2e%2e%2fpercent.png"),
    (b"{name}.png", "{name}.png"),
]


def form(shop: Shop, files: list[tuple[bytes, bytes]], session: str) -> bytes:
    """An upload with the file names byte for byte: no client that we know sends all of these."""
    fields = {"design_data": json.dumps(shop.design_data()), "session_id": session}
    parts = [b'Content-Disposition: form-data; name="%b"\r\n\r\n%b' % (name.encode(), value.encode())
             for name, value in fields.items()]  # fmt: skip
    parts += [b'Content-Disposition: form-data; name="files"; filename="%b"\r\n\r\n%b' % file for file in files]
    return b"".join(b"--frontier\r\n%b\r\n" % part for part in parts) + b"--frontier--\r\n"


def everything(root: Path) -> Iterator[str]:
    """Every path below a folder."""
    for path in root.rglob("*"):
        yield str(path.relative_to(root))


def test_a_file_name_is_for_people_and_never_a_path(shop: Shop) -> None:
    files = [(raw, artworks.design(seed)[1]) for seed, (raw, _) in enumerate(NAMES)]
    session = shop.start()
    here = shop.server.place
    outside = {path.name for path in here.data.parent.iterdir()} | {path.name for path in here.data.iterdir()}
    headers = {"Content-Type": "multipart/form-data; boundary=frontier"}
    answer = shop.client.post("/designs/", content=form(shop, files, session), headers=headers)
    assert answer.status_code == 201, answer.text
    found = shop.items(session)
    assert [(item["filename"], item["state"]) for item in found] == [(shown, "stored") for _, shown in NAMES]
    expected = artworks.print_names(*range(100, 100 + len(NAMES)))
    assert [item["name"] for item in found] == expected
    assert here.designs(shop.folder) == expected
    assert {path.name for path in here.data.parent.iterdir()} | {path.name for path in here.data.iterdir()} == outside
    for word in ("passwd", "boot", "rose", "Rose", "CON", "script", "percent"):
        assert not [path for path in everything(here.data) if word in path]


def test_names_are_told_to_the_user_as_they_were_sent(shop: Shop) -> None:
    files = [(raw, b"no picture %d" % number) for number, (raw, _) in enumerate(NAMES)]
    session = shop.start()
    headers = {"Content-Type": "multipart/form-data; boundary=frontier"}
    answer = shop.client.post("/designs/", content=form(shop, files, session), headers=headers)
    assert answer.json()["designs"] == []
    assert [skipped["filename"] for skipped in answer.json()["skipped"]] == [shown for _, shown in NAMES]
    for (_, shown), item in zip(NAMES, shop.items(session), strict=True):
        assert item["reason"] == f"{shown}: not an image; export it as PNG or JPEG"
    message = shop.list_designs([]).json()["result"]["message"]
    told = message.split("\n")[1:]
    assert told[:3] == [f"{shown}: not an image; export it as PNG or JPEG" for _, shown in NAMES[:3]]
    assert told[-1] == f"... and {len(NAMES) - 20} more; the receipt of the session names all of them."


def test_the_part_is_found_however_its_header_is_written(user: Shop) -> None:
    for name in (b" name=files", b' name="files"', b"name=files", b' NAME="files"'):
        fields = b'--f\r\nContent-Disposition: form-data; name="design_data"\r\n\r\n%b\r\n'
        file = b'--f\r\nContent-Disposition: form-data;%b; filename="a.png"\r\n\r\n%b\r\n--f--'
        body = fields % json.dumps(user.design_data()).encode() + file % (name, artworks.fresh(1)[0][1])
        headers = {"Content-Type": "multipart/form-data; boundary=f"}
        assert user.client.post("/designs/", content=body, headers=headers).json()["total"] == 1
