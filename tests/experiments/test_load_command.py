"""`manage.py load_dialogues`: what it prints, and how it ends."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from django.core.management import call_command

from experiments.models import Dataset
from selflearn_site import cli
from tests.experiments.files import both, jsonl_file, locomo_file, question, sample

pytestmark = pytest.mark.django_db

SPLITS = ("--train", "c1", "--validation", "c2", "--golden", "c3")


def run(*arguments: object) -> tuple[int, str]:
    """Exit code and sentence that `manage.py` would end with."""
    try:
        call_command("load_dialogues", *map(str, arguments), stderr=io.StringIO())
    except Exception as error:
        told = cli.explain(error)
        assert told is not None
        return told
    return cli.OK, ""


def three(folder: Path) -> Path:
    return jsonl_file(folder, *both("c1"), *both("c2"), *both("c3"))


def test_load_dialogues__good_file__ends_with_0_and_says_what_it_took(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, told = run("jsonl", three(tmp_path), "--dataset", "mine", *SPLITS)

    assert (code, told) == (0, "")
    shown = capsys.readouterr().out
    assert shown == (
        "Data set mine: 3 conversations, 3 memories read, "
        "1 train questions, 1 validation questions, 1 golden questions\n"
    )


def test_load_dialogues__json__prints_one_object_and_nothing_else(tmp_path: Path) -> None:
    out, err = io.StringIO(), io.StringIO()

    call_command(
        "load_dialogues", "jsonl", three(tmp_path), "--dataset", "mine", *SPLITS, "--json", stdout=out, stderr=err
    )

    shown = json.loads(out.getvalue())
    assert err.getvalue() == ""
    assert (shown["dataset"], shown["format"], shown["file"]) == ("mine", "jsonl", "talks.jsonl")
    assert shown["questions_by_split"] == {"train": 1, "validation": 1, "golden": 1}
    assert shown["skipped"] == []


def test_load_dialogues__skipped_questions__are_told_with_reason_and_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = locomo_file(tmp_path, sample(qa=[question(), question(category=5)]))

    code, _ = run("locomo", path, "--dataset", "mine", "--validation", "talk-1")

    assert code == 0
    assert "skipped 1: adversarial: it has no true answer (first: " in capsys.readouterr().out


def test_load_dialogues__twice__ends_with_0_both_times(tmp_path: Path) -> None:
    path = three(tmp_path)

    assert [run("jsonl", path, "--dataset", "mine", *SPLITS)[0] for _ in range(2)] == [0, 0]
    assert Dataset.objects.count() == 1


def test_load_dialogues__name_holds_other_content__ends_with_1(tmp_path: Path) -> None:
    run("jsonl", three(tmp_path), "--dataset", "mine", *SPLITS)

    code, told = run("jsonl", three(tmp_path), "--dataset", "mine", "--train", "c1")

    assert code == 1
    assert "exists with other content" in told


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("jsonl", "missing.jsonl", "--dataset", "mine"), "there is no file missing.jsonl"),
        (("csv", "missing.csv", "--dataset", "mine"), "unknown format 'csv'"),
    ],
)
def test_load_dialogues__bad_request__ends_with_2_and_one_line(arguments: tuple[str, ...], words: str) -> None:
    code, told = run(*arguments)

    assert code == 2
    assert words in told
    assert "\n" not in told


def test_load_dialogues__unknown_conversation__ends_with_2_and_stores_nothing(tmp_path: Path) -> None:
    code, told = run("jsonl", three(tmp_path), "--dataset", "mine", "--train", "c1, c9")

    assert (code, Dataset.objects.count()) == (2, 0)
    assert "unknown conversation id 'c9'" in told


def test_load_dialogues__broken_json__ends_with_2_and_names_line_and_column(tmp_path: Path) -> None:
    code, told = run("jsonl", jsonl_file(tmp_path, *both("c1"), "{oops"), "--dataset", "mine", "--train", "c1")

    assert code == 2
    assert "line 3 is not valid JSON" in told


@pytest.mark.django_db(transaction=True)
def test_main__broken_file__prints_one_line_and_ends_with_2(tmp_path: Path) -> None:
    told = io.StringIO()
    path = jsonl_file(tmp_path, "{oops")

    code = cli.main(["manage.py", "load_dialogues", "jsonl", str(path), "--dataset", "mine"], stderr=told)

    assert code == 2
    assert told.getvalue().startswith("error: ")
    assert told.getvalue().count("\n") == 1
