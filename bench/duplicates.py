"""The index of duplicates with a million known pictures of one tenant, with `--large` also with ten million.

Hashes and keys are random; half of the pictures that are asked about differ from a known one in few bits. The table is
the real one with its indexes, in a PostgreSQL of its own.
"""

import gc
import hashlib
import os
import random
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from uuid import UUID, uuid4

import numpy as np
from sqlalchemy import Connection, Engine, func, select, text

from bench import processor
from bench.figures import Figure
from bench.hasher import PLACE
from bench.measuring import timed
from services.dedup.candidates.hamming_index import HammingIndex
from services.dedup.candidates.hash_search import Question, candidates
from services.dedup.candidates.key_search import RADIUS, Finder
from services.dedup.candidates.keys import CORNERS, NO_KEYS, ZOOMS, Keys
from services.dedup.rule.known_picture import BITS
from services.dedup.service import PREFETCH
from services.dedup.store import HashIndex
from services.dedup.tables import BANDED_DISTANCE, as_bits, hashes, keys
from services.hasher.versions import ALGORITHM
from services.local.database import database
from services.migrations import migrate
from shared.contracts import Blob, ImageHashed
from shared.database import engine_of

SIZES = [int(size) for size in os.environ.get("BENCH_KNOWN_HASHES", "1000000").split(",")]
MILLION, LARGE = 1_000_000, 10_000_000
KEYS_EACH = 2  # a see-through picture has two to four, another one or two
ASKED = 400
SCANNED = 5  # by a sequential scan, which takes long
DECIDED = 3000

FILL = text(
    """
    INSERT INTO dedup.hashes (tenant_id, item_id, session_id, source, state, algorithm, phash, dhash, upload_sha256,
                              print_sha256, filename, name, path)
    SELECT :tenant, gen_random_uuid(), :tenant, 'session', 'known', :algorithm,
           ('x' || md5('p' || n) || md5('P' || n))::bit(256), ('x' || md5('d' || n) || md5('D' || n))::bit(256),
           md5('u' || n) || md5('U' || n), md5('f' || n) || md5('F' || n),
           'design ' || n || '.png', 'UV ' || n || '.png', 'NorthCups/UVDTF 16oz/UV ' || n || '.png'
    FROM generate_series(1, :count) AS n
    """
)
FILL_KEYS = text(
    """
    INSERT INTO dedup.keys (tenant_id, hash_id, key)
    SELECT tenant_id, id, ('x' || substr(md5('k' || id || 'n' || n), 1, 16))::bit(64)::bigint
    FROM dedup.hashes, generate_series(1, :each) AS n WHERE tenant_id = :tenant
    """
)
SCAN = text(
    """
    SELECT id FROM dedup.hashes WHERE tenant_id = :tenant
    AND (bit_count(phash # CAST(:phash AS bit(256))) <= :most OR bit_count(dhash # CAST(:dhash AS bit(256))) <= :most)
    """
)


@dataclass(frozen=True)
class Found:
    """Of one number of known pictures. Times in milliseconds."""

    lookups: Sequence[float]
    scans: Sequence[float]
    decisions_per_s: float
    load_s: float
    bytes_each: float
    wide: Sequence[float]


def figures(home: Path, rounds: int) -> Iterator[Figure]:
    """One pass: each figure is of hundreds of questions."""
    del rounds
    sizes = [*SIZES, *([LARGE] if os.environ.get("BENCH_LARGE") else [])]
    with TemporaryDirectory(dir=home) as folder, database(Path(folder), throwaway=True, say=print) as running:
        migrate(running.url)
        engine = engine_of(running.url)
        found = {size: _measured(engine, size) for size in sizes}
        engine.dispose()
    for size, of_size in found.items():
        yield from _figures(size, of_size)
    if len(found) > 1:
        few, many = found[min(found)], found[max(found)]
        ratio = median(many.lookups) / median(few.lookups)
        name = f"candidates for a decision, {_words(max(found))} known against {_words(min(found))}"
        yield Figure(name, "times", (ratio,), 1.5, "at most")


def _figures(size: int, found: Found) -> Iterator[Figure]:
    known = f"{_words(size)} known hashes"
    beside = {"median, ms": median(found.lookups), "sequential scan, ms": median(found.scans)}
    yield Figure(
        f"candidates for a decision in PostgreSQL, {known}, p99", "ms", (_p99(found.lookups),), 1, "at most", beside
    )
    yield Figure(f"decisions by hashes alone, with commit, {known}", "a second", (found.decisions_per_s,), 1000)
    beside = {"median, ms": median(found.wide)}
    if size > MILLION:
        beside["reading the keys at the start, s"] = found.load_s
    yield Figure(f"wider radius, all keys of a picture, {known}, p99", "ms", (_p99(found.wide),), 5, "at most", beside)
    if size <= MILLION:  # of more, no time is asked
        yield Figure(f"reading the keys at the start, {known}", "s", (found.load_s,), 5, "at most")
    yield Figure(f"keys in memory, {known}", "bytes for each", (found.bytes_each,), 300, "at most")


def _measured(engine: Engine, size: int) -> Found:
    tenant, chance = uuid4(), random.Random(size)  # noqa: S311 - no secret
    with engine.begin() as connection:
        _fill(connection, tenant, size)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE dedup.hashes, dedup.keys"))
    with engine.begin() as connection:
        _warm(connection)
    asked = [_asked(tenant, chance, size) for _ in range(ASKED)]
    with engine.begin() as connection:
        lookups, rows = _lookups(connection, asked)
        scans = _scans(connection, asked, rows)
    index = HashIndex(engine, BANDED_DISTANCE)
    fresh = [_asked(tenant, chance, size) for _ in range(DECIDED)]
    with ThreadPoolExecutor(PREFETCH) as threads:  # as the service has them in hand
        seconds = timed(lambda: list(threads.map(index.decide_once, fresh)), time.perf_counter)
    with engine.begin() as connection:
        load_s, bytes_each, wide = _wide(connection, tenant, chance, size)
    return Found(lookups, scans, DECIDED / seconds, load_s, bytes_each, wide)


def _fill(connection: Connection, tenant: UUID, size: int) -> None:
    """Indexes are made afterwards: that takes minutes less."""
    print(f"filling the table: {size} hashes", flush=True)
    for table, fill, more in (
        (hashes, FILL, {"count": size, "algorithm": ALGORITHM}),
        (keys, FILL_KEYS, {"each": KEYS_EACH}),
    ):
        indexes = sorted(table.indexes, key=lambda index: str(index.name))
        for index in indexes:
            index.drop(connection)
        connection.execute(fill, {"tenant": tenant, **more})
        for index in indexes:
            index.create(connection)


def _warm(connection: Connection) -> None:
    """Read the indexes once, as they lie in the memory of a server that has been asked for a while."""
    for method in ("seqscan", "bitmapscan"):
        connection.execute(text(f"SET LOCAL enable_{method} = off"))
    for column in (hashes.c.item_id, *(each for each in hashes.c if each.computed)):
        connection.execute(select(func.count(column)))


def _asked(tenant: UUID, chance: random.Random, size: int) -> ImageHashed:
    """A picture that is new, or, every other time, nearly one that is known."""
    number, bits = chance.randrange(1, size + 1), chance.randrange(BANDED_DISTANCE + 1)
    near = chance.random() < 0.5
    phash = int(_md5(f"p{number}") + _md5(f"P{number}"), 16) if near else chance.getrandbits(BITS)
    flips = sum(1 << bit for bit in chance.sample(range(BITS), bits))
    unlike = Blob(sha256=f"{chance.getrandbits(BITS):064x}", size=1)
    return ImageHashed(
        tenant_id=tenant,
        session_id=tenant,
        item_id=uuid4(),
        index=0,
        filename="new.png",
        upload=unlike,
        print_file=Blob(sha256=f"{chance.getrandbits(BITS):064x}", size=1),
        canonical=unlike,
        width=1,
        height=1,
        dpi=400,
        algorithm=ALGORITHM,
        phash=f"{phash ^ flips:064x}",
        dhash=f"{chance.getrandbits(BITS):064x}",
        destination=PLACE,
    )


def _lookups(connection: Connection, asked: Sequence[ImageHashed]) -> tuple[list[float], list[set[int]]]:
    for event in asked[:20]:  # caches
        candidates(connection, event.tenant_id, [Question(event, BANDED_DISTANCE)])
    rows: list[set[int]] = []
    taken = []
    for event in asked:
        began = time.perf_counter()
        (known,) = candidates(connection, event.tenant_id, [Question(event, BANDED_DISTANCE)])
        taken.append(1000 * (time.perf_counter() - began))
        rows.append({each.row for each in known})
    return taken, rows


def _scans(connection: Connection, asked: Sequence[ImageHashed], rows: Sequence[set[int]]) -> list[float]:
    """By reading the whole table, which must find the same."""
    for method in ("indexscan", "bitmapscan", "indexonlyscan"):
        connection.execute(text(f"SET LOCAL enable_{method} = off"))
    taken = []
    for event, known in list(zip(asked, rows, strict=True))[:SCANNED]:
        given = {"tenant": event.tenant_id, "phash": as_bits(event.phash), "dhash": as_bits(event.dhash)}
        began = time.perf_counter()
        found = set(connection.execute(SCAN, {**given, "most": BANDED_DISTANCE}).scalars())
        taken.append(1000 * (time.perf_counter() - began))
        if found != known:
            raise ValueError(f"the index finds {len(known)} rows, a scan {len(found)}: {found ^ known}")
    return taken


def _wide(connection: Connection, tenant: UUID, chance: random.Random, size: int) -> tuple[float, float, list[float]]:
    """Seconds to read all keys, bytes for each picture, milliseconds for each picture that is asked about."""
    gc.collect()
    before, finder = processor.megabytes(os.getpid(), "VmRSS"), Finder()
    load_s = timed(lambda: finder.found(connection, tenant, [NO_KEYS]), time.perf_counter)
    gc.collect()
    bytes_each = 1e6 * (processor.megabytes(os.getpid(), "VmRSS") - before) / size
    nearby = finder.tenants[tenant].nearby
    asked = [_keys(chance) for _ in range(ASKED)]
    _require_all(nearby, chance)
    wide = [1000 * timed(partial(finder.found, connection, tenant, [each]), time.perf_counter) for each in asked]
    return load_s, bytes_each, wide


def _keys(chance: random.Random) -> Keys:
    """As many as a see-through picture has."""
    counts = (2, 2 * len(ZOOMS + CORNERS), 2, 2)
    plain, zoomed, inverted, mirrored = (tuple(chance.getrandbits(64) for _ in range(n)) for n in counts)
    return Keys(plain, zoomed, inverted, mirrored)


def _require_all(nearby: HammingIndex, chance: random.Random) -> None:
    """What a scan of all keys finds, and nothing else, around keys that are there."""
    every = np.concatenate([part.keys for part in nearby.parts] + [nearby.keys])
    owners = np.concatenate([part.owners for part in nearby.parts] + [nearby.owners])
    for _ in range(20):
        key = int(every[chance.randrange(len(every))]) ^ sum(1 << bit for bit in chance.sample(range(64), RADIUS))
        apart = np.bitwise_count(every ^ np.uint64(key))
        expected = set(owners[apart <= RADIUS].tolist())
        if set(nearby.within([key], RADIUS)) != expected:
            raise ValueError("the keys in memory do not find what a scan does")


def _md5(words: str) -> str:
    return hashlib.md5(words.encode(), usedforsecurity=False).hexdigest()


def _p99(values: Sequence[float]) -> float:
    return quantiles(values, n=100)[98]


def _words(size: int) -> str:
    return f"{size:,}"
