"""Files that lay on the NAS before anybody uploaded: found by the clock, hashed over RabbitMQ, and told of uploads."""

from pathlib import Path

from sqlalchemy import create_engine, select
from sqlalchemy.pool import NullPool

from services.local.system import Running
from services.storage.tables import scanned
from tests.seller import Seller, artwork
from tests.waiting import until

NAME = "DTF 007 Adult_Tee_007.png"


def test_a_new_account_s_old_files_are_known_before_long(running: Running, nas: Path) -> None:
    folder = nas / "Long Since" / "Adult Tee"
    folder.mkdir(parents=True)
    (folder / NAME).write_bytes(artwork(7001))
    with Seller(running.base_url, shop_name="Long Since") as seller:
        engine = create_engine(running.environment["DATABASE_URL"], poolclass=NullPool)
        state = select(scanned.c.state).where(scanned.c.path == f"Long Since/Adult Tee/{NAME}")

        def known() -> bool:
            with engine.connect() as connection:
                return connection.execute(state).scalar() == "known"

        until(known)
        session_id, designs = seller.upload([("new.png", artwork(7001)), ("other.png", artwork(7002))])
        assert [design["filename"] for design in designs] == ["UV 100 UVDTF_16oz_100.png"]
        first, _ = sorted(seller.receipt(session_id)["items"], key=lambda item: item["index"])
        assert (first["state"], first["kind"]) == ("duplicate", "identical")
        match = first["match"]
        assert (match["source"], match["filename"], match["path"]) == ("nas", NAME, f"Long Since/Adult Tee/{NAME}")
