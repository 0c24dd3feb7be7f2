"""Numbers in order of upload, without gap or reuse, whatever comes when and how often."""

import pytest

from shared.contracts import DesignStored, ImageAccepted
from tests.integration.storage.workshop import Upload, Verdict, Workshop, lies, numbers, uv


def test_designs_are_numbered_from_the_clients_floor(workshop: Workshop) -> None:
    upload = Upload(starting_number=200)
    answers = workshop.hear(*(workshop.accepted(upload, index) for index in range(3)))
    assert numbers(answers) == {0: 200, 1: 201, 2: 202}
    assert workshop.files() == uv(200, 201, 202)
    assert workshop.hidden() == []
    assert all(isinstance(answer, DesignStored) and lies(workshop, answer) for answer in answers)


def test_a_stored_design_is_told_with_all_that_was_known_of_it(workshop: Workshop) -> None:
    upload = Upload()
    event = workshop.accepted(upload, 0, generation=3)
    (answer,) = workshop.hear(event)
    assert answer == DesignStored(
        tenant_id=upload.tenant,
        session_id=upload.session,
        item_id=upload.item(0),
        index=0,
        generation=3,
        filename="0.png",
        number=100,
        name="UV 100 UVDTF_16oz_100.png",
        path="NorthCups/UVDTF 16oz/UV 100 UVDTF_16oz_100.png",
        print_file=event.print_file,
    )


def test_a_design_waits_under_a_hidden_name_until_every_earlier_file_has_a_verdict(workshop: Workshop) -> None:
    upload = Upload()
    assert workshop.hear(workshop.accepted(upload, 2), workshop.accepted(upload, 1)) == []
    assert workshop.files() == []
    assert len(workshop.hidden()) == 2
    answers = workshop.hear(workshop.accepted(upload, 0))
    assert [(answer.index, answer.number) for answer in answers if isinstance(answer, DesignStored)] == [
        (0, 100), (1, 101), (2, 102),
    ]  # fmt: skip
    assert workshop.hidden() == []


def test_what_will_have_no_file_takes_no_number_and_holds_nobody_up(workshop: Workshop) -> None:
    upload = Upload()
    assert workshop.hear(*(workshop.accepted(upload, index) for index in (1, 3, 5, 7))) == []
    assert numbers(workshop.hear(upload.duplicate(0))) == {1: 100}
    assert numbers(workshop.hear(upload.failed(6))) == {}
    assert numbers(workshop.hear(upload.failed(4, "dedup"))) == {}
    assert numbers(workshop.hear(upload.rejected(2))) == {3: 101, 5: 102, 7: 103}
    assert workshop.files() == uv(100, 101, 102, 103)


@pytest.mark.parametrize("stage", ["ingest", "mockup", "publisher"])
def test_a_failed_listing_is_no_verdict_on_the_file(workshop: Workshop, stage: str) -> None:
    upload = Upload()
    workshop.hear(workshop.accepted(upload, 1))
    assert workshop.hear(upload.failed(0, stage)) == []  # type: ignore[arg-type]
    assert numbers(workshop.hear(workshop.accepted(upload, 0))) == {0: 100, 1: 101}


def test_every_repeat_gives_the_first_answer_again_and_an_acceptance_its_files_end(workshop: Workshop) -> None:
    upload = Upload()
    events: list[Verdict] = [
        workshop.accepted(upload, 3),
        upload.rejected(1),
        workshop.accepted(upload, 2),
        upload.duplicate(0),
        workshop.accepted(upload, 4),
    ]
    first = [workshop.hear(event) for event in events]
    assert [numbers(answers) for answers in first] == [{}, {}, {}, {2: 100, 3: 101}, {4: 102}]
    two, three = first[3]
    repeated = [[three], [], [two], [two, three], first[4]]
    for _ in range(2):
        assert [workshop.hear(event) for event in events] == repeated
    assert workshop.files() == uv(100, 101, 102)


def test_the_next_session_goes_on_where_the_last_one_ended(workshop: Workshop) -> None:
    first, second, third = Upload(), Upload(), Upload(starting_number=150)
    for upload in (first, second, third):
        workshop.hear(workshop.accepted(upload, 0), workshop.accepted(upload, 1))
    fourth = Upload()
    assert numbers(workshop.hear(workshop.accepted(fourth, 0))) == {0: 152}
    assert workshop.files() == uv(100, 101, 102, 103, 150, 151, 152)


def test_numbers_begin_after_what_lies_on_the_nas_already(workshop: Workshop) -> None:
    folder = workshop.root / "NorthCups/UVDTF 16oz"
    folder.mkdir(parents=True)
    for name in (*uv(907, 906), "DTF 908 uvdtf_16OZ_908.png", "UV 999 Other_999.png", "notes.txt"):
        (folder / name).write_text("an old system's")
    assert numbers(workshop.hear(workshop.accepted(Upload(), 0))) == {0: 909}


def test_a_session_looks_at_the_nas_again_before_its_first_number(workshop: Workshop) -> None:
    workshop.hear(workshop.accepted(Upload(), 0))
    (workshop.root / "NorthCups/UVDTF 16oz" / uv(140)[0]).write_text("somebody else's")
    assert numbers(workshop.hear(workshop.accepted(Upload(), 0))) == {0: 141}


def test_a_name_that_somebody_took_meanwhile_is_not_overwritten(workshop: Workshop) -> None:
    upload = Upload()
    workshop.hear(workshop.accepted(upload, 0))
    foreign = workshop.root / "NorthCups/UVDTF 16oz" / uv(101)[0]
    foreign.write_text("somebody else's")
    event = workshop.accepted(upload, 1)
    (answer,) = workshop.hear(event)
    assert isinstance(answer, DesignStored)
    assert answer.number == 102
    assert lies(workshop, answer)
    assert foreign.read_text() == "somebody else's"
    assert workshop.hear(event) == [answer]
    assert numbers(workshop.hear(workshop.accepted(upload, 2))) == {2: 103}


def test_templates_that_some_nas_keeps_in_one_folder_share_their_numbers(workshop: Workshop) -> None:
    for template, number in (("Kids", 100), ("KIDS", 101), ("kids", 102)):
        assert numbers(workshop.hear(workshop.accepted(Upload(template=template), 0))) == {0: number}
    assert numbers(workshop.hear(workshop.accepted(Upload(template="Adults"), 0))) == {0: 100}
    assert numbers(workshop.hear(workshop.accepted(Upload(shop="SouthCups"), 0))) == {0: 100}


def test_digital_designs_have_their_own_folder_and_numbers(workshop: Workshop) -> None:
    workshop.hear(workshop.accepted(Upload(), 0))
    (answer,) = workshop.hear(workshop.accepted(Upload(digital=True, starting_number=0), 0))
    assert isinstance(answer, DesignStored)
    assert (answer.number, answer.path, answer.digital) == (0, "NorthCups/Digital/UVDTF 16oz/Digital 000.png", True)
    assert numbers(workshop.hear(workshop.accepted(Upload(digital=True, starting_number=0), 0))) == {0: 1}


def test_a_file_tried_anew_takes_the_next_free_number(workshop: Workshop) -> None:
    upload = Upload()
    workshop.hear(upload.failed(0), workshop.accepted(upload, 1))
    assert numbers(workshop.hear(workshop.accepted(upload, 0, generation=1))) == {0: 101}
    assert numbers(workshop.hear(workshop.accepted(upload, 2))) == {2: 102}


def test_a_duplicate_that_became_the_original_takes_the_next_free_number(workshop: Workshop) -> None:
    upload = Upload()
    workshop.hear(workshop.accepted(upload, 0), upload.duplicate(1), workshop.accepted(upload, 2))
    assert workshop.hear(upload.duplicate(1, generation=1)) == []
    assert numbers(workshop.hear(workshop.accepted(upload, 1, generation=2))) == {1: 102}


def test_nobody_waits_for_a_file_that_is_tried_anew(workshop: Workshop) -> None:
    upload = Upload()
    workshop.hear(upload.failed(0))
    anew = workshop.accepted(upload, 0, generation=1)
    assert workshop.filing.designs.accept(anew)  # its file is still on the way
    assert numbers(workshop.hear(workshop.accepted(upload, 1))) == {1: 100}
    assert numbers(workshop.hear(anew)) == {0: 101}


def test_an_overtaken_message_changes_nothing(workshop: Workshop) -> None:
    upload = Upload()
    old: ImageAccepted = workshop.accepted(upload, 0)
    (stored,) = workshop.hear(workshop.accepted(upload, 0, generation=1))
    assert workshop.hear(old, upload.duplicate(0), upload.failed(0, "storage")) == []
    assert workshop.hear(workshop.accepted(upload, 0, generation=1)) == [stored]
    assert workshop.files() == uv(100)
    assert workshop.hidden() == []


def test_a_stored_design_that_is_tried_anew_keeps_its_number(workshop: Workshop) -> None:
    upload = Upload()
    (first,) = workshop.hear(workshop.accepted(upload, 0))
    (again,) = workshop.hear(workshop.accepted(upload, 0, generation=1))
    assert again == first.model_copy(update={"generation": 1})
    assert workshop.files() == uv(100)


def test_a_number_once_given_is_kept_whoever_says_what_later(workshop: Workshop) -> None:
    upload = Upload()
    event = workshop.accepted(upload, 0)
    (stored,) = answers = workshop.hear(event)
    assert workshop.hear(upload.failed(0, "storage")) == answers, (
        "what gave it up had stored it, and may not have said so"
    )
    once_more = stored.model_copy(update={"generation": 1})
    assert workshop.hear(upload.duplicate(0, generation=1), event) == [once_more], "ingest heard that it is a duplicate"
    assert workshop.files() == uv(100)
