"""A near copy that waits for its seller, over the broker: kept, numbered after what was stored, and listed."""

import io

from PIL import Image, ImageEnhance

from services.local.system import Running
from tests.images import saved
from tests.seller import Seller, artworks
from tests.waiting import until


def test_a_near_copy_waits_and_is_stored_and_listed_when_it_is_kept(running: Running) -> None:
    with Seller(running.base_url) as seller:
        files = artworks(3, seed=77)
        with Image.open(io.BytesIO(files[0][1])) as image:
            darker = ImageEnhance.Brightness(image.convert("RGB")).enhance(0.96)
            darker.putalpha(image.getchannel("A"))
        session, designs = seller.upload([*files[:1], ("darker.png", saved(darker)), *files[1:]], duplicates="review")
        assert [design["filename"] for design in designs] == [f"UV {n} UVDTF_16oz_{n}.png" for n in (100, 101, 102)]
        receipt = seller.receipt(session)
        (item,) = [found["item_id"] for found in receipt["items"] if found["needs_review"]]
        wish = {"decisions": [{"item_id": item, "decision": "keep"}]}
        assert seller.http.post(f"/api/v1/sessions/{session}/review", json=wish).json()["kept"] == [item]
        until(lambda: seller.receipt(session)["stored"] == 4)
        kept = next(found for found in seller.receipt(session)["items"] if found["item_id"] == item)
        original = kept["resembles"]["filename"]
        assert (kept["number"], kept["filename"], original) == (103, "darker.png", files[0][0])
        assert seller.list_designs([item])["success"]
