"""An older copy of the database was put under a broker that had messages of later uploads: their designs are stored."""

from pathlib import Path

from sqlalchemy import Engine, update
from typer.testing import CliRunner

from services.cli import app
from services.ingest.sessions.tables import items
from shared.database import transaction
from shared.nas import PathNas
from tests.integration.ops.letterbox import Letterbox
from tests.integration.scan.works import Works
from tests.integration.storage.workshop import FOLDER, Upload, Workshop, uv


def test_resume_names_designs_that_no_upload_is_known_to_have_brought(
    engine: Engine, box: Letterbox, database_url: str, tmp_path: Path
) -> None:
    PathNas(tmp_path / "nas").initialise()
    workshop, upload = Workshop(engine, tmp_path), Upload()
    workshop.hear(*(workshop.accepted(upload, index) for index in range(3)))
    box.submitted("a.png")
    with transaction(engine) as connection:
        connection.execute(update(items).values(id=upload.item(0), state="stored"))

    (tmp_path / "environment").touch()  # as `presswork up` leaves it

    def said() -> list[str]:
        words = ["resume", "--dry-run", "--data", str(tmp_path)]
        return CliRunner().invoke(app, words, env={"DATABASE_URL": database_url}).stdout.splitlines()

    _, one, other = uv(100, 101, 102)
    assert said()[-3:-1] == [f"no upload  {FOLDER}/{one}", f"no upload  {FOLDER}/{other}"]
    assert said()[-1].startswith("2 designs are stored of uploads that this database does not know: ")
    assert said()[-1].endswith("docs/backup.md says how to let them go")

    (tmp_path / "nas" / FOLDER / one).unlink()
    works = Works(database_url, engine, tmp_path, tenant=upload.tenant)
    works.run(works.scan())
    assert said()[-2] == f"no upload  {FOLDER}/{other}"
    assert said()[-1].startswith("1 design is stored of uploads")
