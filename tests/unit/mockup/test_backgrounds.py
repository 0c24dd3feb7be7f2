"""The cache of prepared photographs."""

from collections.abc import Callable

from services.mockup.backgrounds import BackgroundCache, ready_background
from shared.blobs import Blobs
from shared.contracts import Background, Mask

Encode = Callable[..., bytes]
BOX = ((40.0, 20.0), (160.0, 20.0), (160.0, 60.0), (40.0, 60.0))


def background(blobs: Blobs, encoded: Encode, grey: int, polygon: tuple[tuple[float, float], ...] = BOX) -> Background:
    return Background(image=blobs.put(encoded((grey, grey, grey))), masks=(Mask(polygon=polygon),))


def test_a_photograph_is_prepared_once(blobs: Blobs, encoded: Encode) -> None:
    cache = BackgroundCache(100_000_000)
    first = ready_background(background(blobs, encoded, 90), blobs, cache)
    again = ready_background(background(blobs, encoded, 90), blobs, cache)
    assert again is first
    assert cache.bytes == first.prepared.nbytes


def test_other_masks_are_another_entry(blobs: Blobs, encoded: Encode) -> None:
    cache = BackgroundCache(100_000_000)
    first = ready_background(background(blobs, encoded, 90), blobs, cache)
    other = ready_background(background(blobs, encoded, 90, BOX[:3]), blobs, cache)
    assert other is not first


def test_the_least_recently_used_gives_way(blobs: Blobs, encoded: Encode) -> None:
    one, two, three = (background(blobs, encoded, grey) for grey in (10, 20, 30))
    size = ready_background(one, blobs, BackgroundCache(0)).prepared.nbytes
    cache = BackgroundCache(2 * size + 1)
    for each in (one, two, one, three):
        ready_background(each, blobs, cache)
    assert cache.find(two) is None
    assert cache.find(one) is not None
    assert cache.find(three) is not None
    assert cache.bytes == 2 * size


def test_what_is_larger_than_the_cache_is_not_kept(blobs: Blobs, encoded: Encode) -> None:
    cache = BackgroundCache(10)
    ready_background(background(blobs, encoded, 10), blobs, cache)
    assert cache.bytes == 0
