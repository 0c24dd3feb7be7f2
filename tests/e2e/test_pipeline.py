"""From the frontend's upload to a listing, through separate processes over RabbitMQ."""

import json
import os
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from PIL import Image

from services.ingest.sessions.serving.outcome_text import TRIED
from services.local.broker import Broker
from services.local.process import free_ports
from services.local.system import Running
from tests.e2e.conftest import all_live, answers
from tests.seller import Seller, artwork, artworks
from tests.waiting import until


@pytest.fixture
def seller(running: Running) -> Iterator[Seller]:
    with Seller(running.base_url) as account:
        yield account


def print_files(nas: Path, seller: Seller) -> list[str]:
    """The design files in the seller's shop folder, by name; hidden ones too."""
    folder = next(path for path in nas.iterdir() if path.name == shop_folder(seller))
    return sorted(path.name for path in (folder / seller.template_name).iterdir())


def shop_folder(seller: Seller) -> str:
    designs = seller.http.get("/designs/list").json()["designs"]
    return str(designs[0]["file_path"]).split("/")[3]


def listing_folders(running: Running, seller: Seller) -> list[Path]:
    return sorted(path for path in (running.listings_dir / shop_folder(seller)).iterdir() if path.is_dir())


def accounted(receipt: dict[str, int]) -> bool:
    ends = ("stored", "duplicate", "rejected", "failed", "in_progress")
    return receipt["received"] == sum(receipt[name] for name in ends)


def test_a_batch_becomes_print_files_mockups_and_listing_drafts(running: Running, seller: Seller, nas: Path) -> None:
    files = artworks(10)
    files += [("copy.png", files[3][1]), ("broken.png", files[0][1][:500]), ("empty.png", b"")]
    session_id = seller.announce(files)
    stream = seller.follow(session_id)
    answer = seller.post(session_id, files)
    assert answer.status_code == 201
    designs = answer.json()["designs"]
    assert [design["filename"] for design in designs] == [f"UV {n} UVDTF_16oz_{n}.png" for n in range(100, 110)]
    listed = seller.list_designs([design["id"] for design in designs])
    assert listed["success"]
    assert listed["result"]["message"].startswith(
        "10 listings created, 1 duplicate skipped, 2 files could not be used."
    )

    receipt = seller.receipt(session_id)
    assert {name: receipt[name] for name in ("received", "stored", "duplicate", "rejected", "failed", "listed")} == {
        "received": 13,
        "stored": 10,
        "duplicate": 1,
        "rejected": 2,
        "failed": 0,
        "listed": 10,
    }
    assert receipt["lane"] == "comprehensive"
    assert all(item["reason"] for item in receipt["items"] if item["state"] in ("duplicate", "rejected"))

    shop = nas / shop_folder(seller)
    assert print_files(nas, seller) == [design["filename"] for design in designs]
    for name in print_files(nas, seller):
        with Image.open(shop / "UVDTF 16oz" / name) as picture:
            assert picture.size == (300, 200)
            assert picture.mode == "RGBA"
            assert picture.info["dpi"] == pytest.approx((400, 400), abs=0.01)
    mockups = sorted(path.name for path in (shop / "Mockups" / "UVDTF 16oz").iterdir())
    assert mockups == [f"UV {n} UVDTF_16oz_{n}_BG_0.jpg" for n in range(100, 110)]
    assert len(listing_folders(running, seller)) == 10
    until((shop / "Mockups" / "BaseMockups" / "UVDTF 16oz").is_dir)

    frames = [frame for frame in stream.to_the_end() if "step" in frame]
    assert [frame["step"] for frame in frames] == sorted(frame["step"] for frame in frames)
    percents = [frame["progress_percent"] for frame in frames]
    assert percents == sorted(percents)
    assert percents.count(100.0) == 1
    assert frames[-1]["step"] == frames[-1]["total_steps"] == 4
    events = seller.events(session_id)
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))


@pytest.fixture
def wiretap(running: Running, rabbit: Broker) -> Iterator[httpx.Client]:
    """A queue that hears all progress, read through the broker's management API."""
    vhost = urlsplit(running.environment["AMQP_URL"]).path.strip("/")
    with httpx.Client(base_url=f"{rabbit.management_url}/api/", trust_env=False, timeout=30) as client:
        client.put(f"queues/{vhost}/wiretap", json={"durable": True}).raise_for_status()
        binding = {"routing_key": "progress.#"}
        client.post(f"bindings/{vhost}/e/presswork.progress/q/wiretap", json=binding).raise_for_status()
        client.base_url = httpx.URL(f"{rabbit.management_url}/api/queues/{vhost}/wiretap/")
        yield client
        client.delete(f"{rabbit.management_url}/api/queues/{vhost}/wiretap").raise_for_status()


def test_forty_small_files_give_work_to_all_eight_hashers(seller: Seller, wiretap: httpx.Client) -> None:
    session_id, designs = seller.upload(artworks(40, seed=2))
    assert len(designs) == 40
    wanted = {"count": 5000, "ackmode": "ack_requeue_false", "encoding": "auto"}
    heard = [json.loads(message["payload"]) for message in wiretap.post("get", json=wanted).json()]
    hashed = [event for event in heard if event["type"] == "ImageHashed" and event["correlationid"] == session_id]
    work = Counter(event["source"] for event in hashed)
    assert len(work) == 8, work
    assert set(work.values()) == {5}


@pytest.mark.parametrize("victims", ["hashers", "decoders"])
def test_a_hasher_or_its_decoder_killed_in_the_middle_of_a_batch_loses_and_doubles_nothing(
    running: Running, seller: Seller, nas: Path, victims: str
) -> None:
    # print files large enough that each batch takes a while
    seller.inches = (6.0, 4.0)
    seller.canvas = seller._sheet(f"/settings/{seller.template}/canvas-config")
    seller.size = seller._sheet(f"/settings/{seller.template}/{seller.canvas}/size-config")
    files = artworks(40, seed=3)
    session_id = seller.announce(files)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(seller.post, session_id, files)

        until(lambda: "hashed" in {event["type"] for event in seller.events(session_id)})
        hashers = [child for (name, _), child in running.processes.children.items() if name == "hasher"]
        if victims == "decoders":  # a hasher that was started anew has none before its first file, if one comes to it

            def three() -> list[int] | None:
                found = [pid for child in hashers if (pid := _decoder(child.pid))]
                return found[:3] if len(found) >= 3 else None

            for pid in until(three):
                os.kill(pid, signal.SIGKILL)
        else:
            for child in hashers[:3]:
                child.send_signal(signal.SIGKILL)
                child.wait()
        assert victims == "hashers" or all(child.poll() is None for child in hashers)
        until(lambda: all_live(running))
        designs = answer.result().json()["designs"]
    assert len(designs) == 40
    assert print_files(nas, seller) == [f"UV {n} UVDTF_16oz_{n}.png" for n in range(100, 140)]
    receipt = seller.receipt(session_id)
    assert (receipt["stored"], receipt["failed"]) == (40, 0)
    assert accounted(receipt)
    assert all(item["generation"] == 0 for item in receipt["items"])


def test_who_works_on_pictures_lets_everybody_else_go_first_and_each_other_have_a_share(running: Running) -> None:
    priority = {child.pid: os.getpriority(os.PRIO_PROCESS, child.pid) for child in running.processes.children.values()}
    behind = {child.pid for (name, _), child in running.processes.children.items() if name in ("hasher", "mockup")}
    assert len({priority[pid] for pid in behind}) == 1
    assert min(priority[pid] for pid in behind) > max(priority[pid] for pid in priority.keys() - behind)


def _decoder(hasher: int) -> int | None:
    """The process in which a hasher decodes: the only child of one of its threads. None: its first file is to come."""
    pids = " ".join(file.read_text() for file in Path(f"/proc/{hasher}/task").glob("*/children")).split()
    assert len(pids) < 2, pids
    return int(pids[0]) if pids else None


def test_the_same_upload_sent_at_once_and_again_is_one_upload(running: Running, seller: Seller, nas: Path) -> None:
    files = artworks(12, seed=4)
    session_id = seller.announce(files)
    together = threading.Barrier(4)

    def send(_: int) -> list[str]:
        together.wait()
        answer = seller.post(session_id, files)
        assert answer.status_code == 201, answer.text
        return [design["id"] for design in answer.json()["designs"]]

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(send, range(4)))
    answers.append([design["id"] for design in seller.post(session_id, files).json()["designs"]])
    assert len(answers[0]) == 12
    assert all(answer == answers[0] for answer in answers)
    with ThreadPoolExecutor(3) as pool:
        told = list(pool.map(lambda _: seller.list_designs(answers[0]), range(3)))
    assert {answer["listings"]["listed"] for answer in told} == {12}
    assert all(answer["result"]["message"].endswith(TRIED) for answer in told)
    assert len(print_files(nas, seller)) == 12
    assert len(listing_folders(running, seller)) == 12


def test_progress_opened_late_twice_and_on_another_replica_is_the_same(running: Running, seller: Seller) -> None:
    (port,) = free_ports(1)
    running.processes.environment = {**running.environment, "PORT": str(port)}
    running.processes.start("ingest", 2)
    running.processes.environment = running.environment
    replica = f"http://127.0.0.1:{port}"
    until(lambda: answers(replica))
    files = artworks(16, seed=5)
    session_id = seller.announce(files)
    early = seller.follow(session_id)
    answer = seller.post(session_id, files)
    late = [seller.follow(session_id), seller.follow(session_id, replica)]
    designs = [design["id"] for design in answer.json()["designs"]]
    seller.list_designs(designs)
    after_the_end = seller.follow(session_id, replica)
    ends = [stream.to_the_end()[-1] for stream in (early, *late, after_the_end)]
    assert all(end == ends[0] for end in ends)
    assert ends[0]["step"] == 4
    assert len(after_the_end.frames) == 1
    assert seller.receipt(session_id, replica) == seller.receipt(session_id)
    child = running.processes.children.pop(("ingest", 2))
    child.send_signal(signal.SIGTERM)
    assert child.wait(30) == 0


def test_a_second_upload_finds_the_first_and_a_second_seller_does_not(seller: Seller, running: Running) -> None:
    files = artworks(4, seed=6)
    seller.upload(files)
    session_id, designs = seller.upload([(f"again-{name}", data) for name, data in files])
    assert designs == []
    reasons = [item["reason"] for item in seller.receipt(session_id)["items"]]
    assert ["UV 10" in reason for reason in reasons] == [True] * 4, reasons
    story = seller.list_designs([])
    assert "4 duplicates skipped" in story["result"]["message"]
    with Seller(running.base_url) as other:
        assert len(other.upload(files)[1]) == 4
        assert other.http.get(f"/api/v1/sessions/{session_id}").status_code == 404


def test_numbers_go_on_where_the_last_upload_ended(seller: Seller, nas: Path) -> None:
    for seed in (7, 8):
        seller.upload(artworks(3, seed=seed))
    assert print_files(nas, seller) == [f"UV {n} UVDTF_16oz_{n}.png" for n in range(100, 106)]


def test_a_single_file_takes_the_original_lane_and_ends_the_same(running: Running, seller: Seller) -> None:
    session_id, designs = seller.upload([("one.png", artwork(99))])
    assert seller.list_designs([designs[0]["id"]])["success"]
    receipt = seller.receipt(session_id)
    assert (receipt["lane"], receipt["stored"], receipt["listed"]) == ("original", 1, 1)


def test_a_deleted_design_does_not_block_the_same_picture(seller: Seller) -> None:
    files = artworks(2, seed=9)
    _, designs = seller.upload(files)
    assert seller.http.delete(f"/designs/delete/{designs[0]['id']}").status_code == 200
    # dedup hears of it in its own time: a copy is a duplicate until then

    def uploaded_again() -> list[str]:
        _, again = seller.upload([("same.png", files[0][1]), ("other.png", files[1][1])])
        return [design["filename"] for design in again]

    assert until(uploaded_again) == ["UV 102 UVDTF_16oz_102.png"]


def test_a_digital_design_keeps_its_size_and_is_listed_with_its_file(
    running: Running, seller: Seller, nas: Path
) -> None:
    session_id, designs = seller.upload(artworks(2, seed=10), is_digital=True)
    assert [design["filename"] for design in designs] == ["Digital 100.png", "Digital 101.png"]
    assert seller.list_designs([design["id"] for design in designs])["success"]
    folder = nas / shop_folder(seller) / "Digital" / "UVDTF 16oz"
    assert sorted(path.name for path in folder.iterdir()) == ["Digital 100.png", "Digital 101.png"]
    assert seller.receipt(session_id)["listed"] == 2
    written = json.loads((listing_folders(running, seller)[0] / "listing.json").read_text())
    assert written["type"] == "download"
