"""The target for those without a shop key: each listing as a folder that a person can open."""

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any
from uuid import UUID

from services.publisher import encoding, limits, listings_csv, preview
from services.publisher.limits import Problem
from services.publisher.listing import ListingDraft
from services.publisher.shop import Ambiguous, Asset, Intent, ListingGone, RemoteRef
from shared.errors import Permanent, Unavailable
from shared.nas.names import safe_folder_name

BYTE_ORDER_MARK = "\ufeff"  # without it Excel reads UTF-8 as something else


class DryRunShop:
    """Writes `<root>/<shop>/<design> [<key>]/`. It obeys Etsy's limits, so a green dry run means a green first push."""

    name = "dry-run"
    capabilities = replace(limits.ETSY, create_takes_s=0, settles_after_s=0)

    def __init__(self, root: Path) -> None:
        self.root = root

    def check(self) -> tuple[Problem, ...]:
        """Whether the folder can be written."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            return (Problem("LISTINGS_DIR", "enforced", f"the folder {self.root} can't be made: {error.strerror}"),)
        if not os.access(self.root, os.W_OK | os.X_OK):
            return (Problem("LISTINGS_DIR", "enforced", f"the folder {self.root} can't be written: mend its rights"),)
        return ()

    def of(self, tenant_id: UUID) -> "DryRunShop":
        """The same target for every tenant: each shop has a folder of its own in it."""
        del tenant_id
        return self

    def validate(self, draft: ListingDraft) -> tuple[Problem, ...]:
        """What Etsy would say."""
        return limits.validate(draft)

    def find(self, intent: Intent) -> RemoteRef | Ambiguous | None:
        """The folder of this listing."""
        with self._disk():
            found = self._folders(intent.draft.shop, intent.key)
        if len(found) > 1:
            return Ambiguous(tuple(str(folder) for folder in found))
        return self._ref(found[0]) if found else None

    def create(self, intent: Intent) -> RemoteRef:
        """The folder without its pictures, under its final name at once or not at all.

        A folder of this listing that the ledger knows nothing of, left by another database, is replaced.
        """
        draft, shop = intent.draft, self.root / _shop_folder(intent.draft.shop)
        folder = shop / f"{safe_folder_name(Path(draft.design_name).stem)} [{intent.key[:8]}]"
        building = shop / f".{intent.key[:8]}.part"
        with self._disk():
            shutil.rmtree(building, ignore_errors=True)
            (building / "images").mkdir(parents=True)
            for name, text in self._texts(intent).items():
                _write(building / name, text.encode())
            # The table first: if we stop between the two, the folder is missing and this is done again.
            self._tabulate(shop / "listings.csv", intent, folder.name)
            for older in self._folders(draft.shop, intent.key):
                shutil.rmtree(older)
            building.rename(folder)
            _sync(shop)
        return self._ref(folder)

    def put_picture(self, ref: RemoteRef, rank: int, asset: Asset) -> str:
        """`images/<rank>.jpg`."""
        return self._put(ref, _picture(rank), asset)

    def put_download(self, ref: RemoteRef, asset: Asset) -> str:
        """`download/<name>`."""
        return self._put(ref, f"download/{asset.name}", asset)

    def finish(self, ref: RemoteRef, pictures: Sequence[str], draft: ListingDraft) -> RemoteRef:
        """Remove pictures of an earlier try; see that the others are there."""
        del draft
        images = self.root / ref.listing_id / "images"
        with self._disk():
            there = {f"images/{path.name}": path for path in images.iterdir()} if images.is_dir() else {}
            for name in there.keys() - set(pictures):
                there[name].unlink()
        if missing := set(pictures) - there.keys():
            raise ListingGone(f"{', '.join(sorted(missing))} vanished from {images} while it was being made: try again")
        return ref

    def _put(self, ref: RemoteRef, path: str, asset: Asset) -> str:
        folder = self.root / ref.listing_id
        if not folder.is_dir():
            raise ListingGone(f"the folder {folder} was removed while it was being made: try again")
        with self._disk():
            (folder / path).parent.mkdir(exist_ok=True)
            _write(folder / path, asset.data)
        return path

    def _texts(self, intent: Intent) -> dict[str, str]:
        draft = intent.draft
        problems = self.validate(draft)
        pictures = [_picture(picture.rank) for picture in draft.pictures]
        download = f"download/{draft.download.name}" if draft.download else None
        return {
            "listing.json": _json(
                {"publish_key": intent.key, "asked_at": intent.since.isoformat(), **draft.model_dump(mode="json")}
            ),
            "problems.json": _json([asdict(problem) for problem in problems]),
            "etsy_request.http": encoding.http_file(draft, pictures, download),
            "preview.html": preview.page(draft, pictures, download, problems),
        }

    def _tabulate(self, path: Path, intent: Intent, folder: str) -> None:
        table = path.read_bytes().decode("utf-8-sig", errors="replace") if path.exists() else ""
        if table and not listings_csv.is_ours(table):
            path.rename(path.with_name("listings-edited.csv"))
            table = ""
        table = listings_csv.with_row(table, intent.draft, folder, intent.key)
        _write(path, (BYTE_ORDER_MARK + table).encode())

    def _folders(self, shop: str, key: str) -> list[Path]:
        """Folders with this key, under whatever number; not the copies that people make ("... [ab12cd34] (copy)")."""
        parent = self.root / _shop_folder(shop)
        if not parent.is_dir():
            return []
        return sorted(path for path in parent.iterdir() if path.name.endswith(f"[{key[:8]}]") and _key(path) == key)

    def _ref(self, folder: Path) -> RemoteRef:
        return RemoteRef(str(folder.relative_to(self.root)), (folder / "preview.html").resolve().as_uri())

    @contextlib.contextmanager
    def _disk(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise Unavailable(f"the listings folder {self.root} can't be written: {error}") from error


def _shop_folder(shop: str) -> str:
    safe = safe_folder_name(shop)
    return safe if safe == shop else f"{safe}-{hashlib.sha256(shop.encode()).hexdigest()[:6]}"


def _picture(rank: int) -> str:
    return f"images/{rank:02d}.jpg"


def _key(folder: Path) -> str:
    path = folder / "listing.json"
    try:
        return str(json.loads(path.read_bytes())["publish_key"])
    except (ValueError, KeyError, FileNotFoundError) as error:
        raise Permanent(f"{path} is missing or was changed: delete {folder.name} and try again") from error


def _json(value: Any) -> str:  # noqa: ANN401 - whatever JSON is
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


def _write(path: Path, data: bytes) -> None:
    """Under its name the file is whole, also after a crash."""
    part = path.with_name(f".{path.name}.part")
    with part.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    _sync(path.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
