"""Dialogue files into memories and questions: every quirk of the formats, and a clear word for each defect."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from experiments.importers import jsonl, locomo
from experiments.importers.base import Account, Conversation
from kernel.errors import InvalidInput
from tests.experiments.files import Json, asking, jsonl_file, locomo_file, memory_line, question, question_line, sample


def talk(folder: Path, item: Json) -> tuple[Conversation, Account]:
    (conversation,), account = locomo.read(locomo_file(folder, item), dataset="d")
    return conversation, account


def evidence_of(folder: Path, *evidence: Any) -> tuple[str, ...]:
    conversation, _ = talk(folder, asking(question(evidence=list(evidence))))
    return conversation.questions[0].evidence


# --- locomo -----------------------------------------------------------------------------------------------------------


def test_locomo__turn__is_a_memory_with_its_speaker_and_time(tmp_path: Path) -> None:
    conversation, account = talk(tmp_path, sample())

    first = conversation.memories["D1:1"]
    assert (first.speaker, first.text) == ("Mira", "My kiln arrived this morning.")
    assert first.simulated_at == datetime(2024, 3, 4, 9, 5, tzinfo=UTC)
    assert first.user_id == conversation.user_id
    assert (account.conversations, account.memories, account.questions, account.skipped) == (1, 5, 3, {})


def test_locomo__turns_of_a_session__are_said_one_after_the_other(tmp_path: Path) -> None:
    conversation, _ = talk(tmp_path, sample())

    times = [memory.simulated_at for memory in conversation.memories.values()]
    assert times == sorted(set(times))


def test_locomo__image__is_remembered_by_its_caption_with_and_without_text(tmp_path: Path) -> None:
    conversation, _ = talk(tmp_path, sample())

    assert conversation.memories["D1:3"].text == "[shares an image: a blue kiln in a shed]"
    assert conversation.memories["D2:1"].text == "I glazed eleven bowls. [shares an image: bowls]"


def test_locomo__question__is_asked_after_the_last_turn_with_its_truth(tmp_path: Path) -> None:
    conversation, _ = talk(tmp_path, sample())

    first, second, third = conversation.questions
    assert (first.external_id, first.category, first.key_facts) == ("talk-1/q001", "factual", ("a kiln",))
    assert (second.category, second.key_facts) == ("temporal", ("11",))
    assert third.category == "multi-hop"
    assert min(item.asked_at for item in conversation.questions) > max(
        memory.simulated_at for memory in conversation.memories.values()
    )


def test_locomo__date_of_a_session_that_is_not_there__is_ignored(tmp_path: Path) -> None:
    conversation, _ = talk(tmp_path, sample())  # it has session_3_date_time and no session_3

    assert all(not name.startswith("D3") for name in conversation.memories)


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        (["D1:2; D2:1"], ("D1:2", "D2:1")),
        (["D1:2 D2:1"], ("D1:2", "D2:1")),
        (["D:1:2"], ("D1:2",)),
        (["D1:02"], ("D1:2",)),
        (["D01:2"], ("D1:2",)),
        (["D2:1", "D2:1", "D1:1"], ("D2:1", "D1:1")),
        (["D1:1", "D9:9"], ("D1:1",)),
    ],
)
def test_locomo__evidence_written_in_odd_ways__names_the_same_turns(
    tmp_path: Path, evidence: list[str], expected: tuple[str, ...]
) -> None:
    assert evidence_of(tmp_path, *evidence) == expected


def test_locomo__turn_id_with_leading_zeros__is_found_by_its_number(tmp_path: Path) -> None:
    item = asking(question(evidence=["D1:1"]))
    item["conversation"]["session_1"][0]["dia_id"] = "D01:001"

    conversation, _ = talk(tmp_path, item)

    assert conversation.questions[0].evidence == ("D1:1",)


def test_locomo__evidence_partly_unknown__keeps_the_question_and_says_so(tmp_path: Path) -> None:
    _, account = talk(tmp_path, asking(question(evidence=["D1:1", "D9:9"])))

    assert account.questions == 1
    assert account.skipped == {"an evidence id that is no turn (the question is kept)": 1}


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        ({"category": 5, "adversarial_answer": "a boat"}, "adversarial: it has no true answer"),
        ({"evidence": []}, "no evidence that is a turn of the dialogue"),
        ({"evidence": ["D9:9"]}, "no evidence that is a turn of the dialogue"),
        ({"evidence": [None, ""]}, "no evidence that is a turn of the dialogue"),
    ],
)
def test_locomo__question_that_cannot_be_scored__is_skipped_with_the_reason(
    tmp_path: Path, item: Json, reason: str
) -> None:
    conversation, account = talk(tmp_path, asking(question(), question(**item)))

    assert len(conversation.questions) == account.questions == 1
    (told,) = account.to_json()["skipped"]
    assert (told["reason"], told["count"]) == (reason, 1)
    assert "question 2" in told["first"]


@pytest.mark.parametrize("answer", [None, ""])
def test_locomo__question_without_an_answer__has_no_key_facts(tmp_path: Path, answer: Any) -> None:
    conversation, _ = talk(tmp_path, asking(question(answer=answer)))

    assert conversation.questions[0].key_facts == ()


def test_locomo__skipped_question__does_not_shift_the_names_of_the_others(tmp_path: Path) -> None:
    conversation, _ = talk(tmp_path, asking(question(category=5), question()))

    assert [item.external_id for item in conversation.questions] == ["talk-1/q002"]


def _without(name: str) -> Callable[[Json], None]:
    return lambda item: item.pop(name)


def _turn(**fields: Any) -> Callable[[Json], None]:
    return lambda item: item["conversation"]["session_1"][0].update(fields)


def _conversation(**fields: Any) -> Callable[[Json], None]:
    return lambda item: item["conversation"].update(fields)


def _question(**fields: Any) -> Callable[[Json], None]:
    return lambda item: item["qa"][0].update(fields)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_without("sample_id"), "'sample_id' is missing or not a str"),
        (_without("conversation"), "'conversation' is missing or not a dict"),
        (_without("qa"), "'qa' is missing or not a list"),
        (lambda item: item.update(sample_id=""), "'sample_id' needs 1 to"),
        (lambda item: item.update(sample_id="x" * 300), "'sample_id' needs 1 to"),
        (_conversation(session_1="hello"), "session_1 is not a list of turns"),
        (_conversation(session_1=["hello"]), "session 1, turn 1: a turn needs"),
        (_turn(dia_id=None), "a turn needs 'dia_id'"),
        (_turn(speaker=7), "a turn needs 'dia_id', 'speaker'"),
        (_turn(text=" "), r"\(D1:1\): the turn has no text"),
        (_turn(dia_id="D1:2"), "the turn id 'D1:2' occurs twice"),
        (_conversation(session_1_date_time="some day"), "session_1_date_time is missing or unreadable: 'some day'"),
        (_conversation(session_2_date_time=None), "session_2_date_time is missing"),
        (lambda item: item.update(conversation={}), "the conversation has no turns"),
        (_question(question=None), "question 1: a question needs the text"),
        (lambda item: item["qa"][0].pop("evidence"), "question 1: 'evidence' is missing or not a list"),
        (_question(evidence="D1:1"), "'evidence' is missing or not a list"),
        (lambda item: item["qa"][0].pop("category"), "category None is not one of 1 to 5"),
        (_question(category=9), "category 9 is not one of 1 to 5"),
        (_question(category=[4]), r"category \[4\] is not one of 1 to 5"),
    ],
)
def test_locomo__defect__is_refused_with_its_place(tmp_path: Path, spoil: Callable[[Json], object], words: str) -> None:
    item = sample()
    spoil(item)

    with pytest.raises(InvalidInput, match=words):
        locomo.read(locomo_file(tmp_path, item), dataset="d")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[{]", "not valid JSON: .* at line 1, column 3"),
        ("", "not valid JSON"),
        ("{}", "non-empty JSON list"),
        ("[]", "non-empty JSON list"),
        ("[7]", "sample 0 is not an object"),
        ('["\\u0000"]', "NUL character"),
        ('["\\ud800"]', "surrogate"),
        ("[" * 100_000, "nested too deeply"),
        ("[" + "9" * 5000 + "]", "a number that is too long"),
    ],
)
def test_locomo__file_of_another_kind__is_refused_in_words(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "talks.json"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(InvalidInput, match=words):
        locomo.read(path, dataset="d")


def test_locomo__same_sample_twice__is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="a sample_id occurs twice"):
        locomo.read(locomo_file(tmp_path, sample(), sample()), dataset="d")


@pytest.mark.parametrize("read", [locomo.read, jsonl.read])
def test_read__no_such_file_or_a_folder_or_no_text__is_refused_by_name(tmp_path: Path, read: Any) -> None:
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe\x00")

    for path in (tmp_path / "missing.json", tmp_path, binary):
        with pytest.raises(InvalidInput, match=path.name):
            read(path, dataset="d")


def test_read__same_file_under_two_names__makes_different_users_and_memories(tmp_path: Path) -> None:
    path = locomo_file(tmp_path, sample())
    (first,), _ = locomo.read(path, dataset="one")
    (second,), _ = locomo.read(path, dataset="two")

    assert first.user_id != second.user_id
    assert first.memories["D1:1"].memory_id != second.memories["D1:1"].memory_id


# --- jsonl ------------------------------------------------------------------------------------------------------------


def read_lines(folder: Path, *lines: Json | str) -> Conversation:
    (conversation,), _ = jsonl.read(jsonl_file(folder, *lines), dataset="d")
    return conversation


def test_jsonl__memory_and_question__keep_all_that_the_file_says(tmp_path: Path) -> None:
    asked = question_line(key_facts=["three"], forbidden=["two"], difficulty="hard", category="temporal")

    conversation = read_lines(tmp_path, memory_line(), asked)

    (told,) = conversation.questions
    memory = conversation.memories["m1"]
    assert (memory.speaker, memory.text) == ("Ann", "The c1 boat has m1 sails.")
    assert memory.simulated_at == datetime(2025, 3, 1, 10, tzinfo=UTC)
    assert (told.external_id, told.evidence, told.key_facts, told.forbidden) == ("c1/q1", ("m1",), ("three",), ("two",))
    assert (told.category, told.difficulty, told.should_retrieve) == ("temporal", "hard", True)


def test_jsonl__question_without_evidence__should_find_nothing(tmp_path: Path) -> None:
    conversation = read_lines(tmp_path, memory_line(), question_line(evidence=[], category="negative"))

    assert conversation.questions[0].should_retrieve is False


def test_jsonl__evidence_named_twice__counts_once(tmp_path: Path) -> None:
    conversation = read_lines(tmp_path, memory_line(), question_line(evidence=["m1", "m1"]))

    assert conversation.questions[0].evidence == ("m1",)


def test_jsonl__line_separator_inside_a_text__does_not_end_the_line(tmp_path: Path) -> None:
    conversation = read_lines(tmp_path, memory_line(text="one\u2028two"), question_line())

    assert conversation.memories["m1"].text == "one\u2028two"


def test_jsonl__byte_order_mark_windows_ends_and_empty_lines__are_no_matter(tmp_path: Path) -> None:
    path = jsonl_file(tmp_path, memory_line(), "", question_line())
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))

    (conversation,), account = jsonl.read(path, dataset="d")

    assert (account.memories, len(conversation.questions)) == (1, 1)


def test_jsonl__ids_of_two_conversations__do_not_meet(tmp_path: Path) -> None:
    path = jsonl_file(tmp_path, memory_line("c1"), memory_line("c2"), question_line("c2"))

    first, second = jsonl.read(path, dataset="d")[0]

    assert first.memories["m1"].memory_id != second.memories["m1"].memory_id
    assert (len(first.questions), len(second.questions)) == (0, 1)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["{"], "line 1 is not valid JSON"),
        ([memory_line(), "nothing"], "line 2 is not valid JSON"),
        (["[1]"], "line 1"),
        ([memory_line(type="picture")], "line 1: type"),
        ([{"conversation": "c1"}], "line 1: type"),
        ([memory_line(text="")], r"line 1: memory\.text"),
        ([memory_line(text="  ")], r"line 1: memory\.text"),
        ([memory_line(at="yesterday")], r"line 1: memory\.at"),
        ([memory_line(at="2025-03-01T10:00:00")], r"line 1: memory\.at"),
        ([memory_line(mood="good")], r"line 1: memory\.mood"),
        ([memory_line(name="x" * 100)], r"line 1: memory\.id"),
        ([memory_line("x" * 100)], r"line 1: memory\.conversation"),
        ([memory_line(), question_line(category="gossip")], r"line 2: question\.category"),
        ([memory_line(), question_line(difficulty="odd")], r"line 2: question\.difficulty"),
        ([memory_line(), {**question_line(), "evidence": None}], r"line 2: question\.evidence"),
        ([memory_line(), {k: v for k, v in question_line().items() if k != "evidence"}], r"line 2: question\.evidence"),
        ([memory_line(), memory_line()], "line 2: the memory id 'm1' occurs twice in 'c1'"),
        ([memory_line(), question_line(), question_line()], "line 3: the question id 'q1' occurs twice"),
        ([memory_line(), question_line(evidence=["m7"])], "names evidence 'm7', unknown"),
        ([memory_line(), question_line(at="2025-02-01T10:00:00Z")], "asked before its evidence 'm1' was said"),
        ([memory_line("c1"), question_line("c2")], "questions of 'c2', a conversation without memories"),
        ([question_line()], "holds no memory lines"),
        ([], "holds no memory lines"),
    ],
)
def test_jsonl__defect__is_refused_with_its_line_and_field(tmp_path: Path, lines: list[Json | str], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        jsonl.read(jsonl_file(tmp_path, *lines), dataset="d")


def test_jsonl__example_of_the_docs__can_be_read(tmp_path: Path) -> None:
    docs = (Path(__file__).parents[2] / "docs" / "DATASETS.md").read_text(encoding="utf-8")
    block = docs.split("```jsonl\n", 1)[1].split("```", 1)[0]
    path = tmp_path / "example.jsonl"
    path.write_text(block, encoding="utf-8")

    conversations, account = jsonl.read(path, dataset="d")

    assert len(conversations) == account.conversations >= 3
    assert all(json.loads(line) for line in block.splitlines())
