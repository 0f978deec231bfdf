"""What an import says and refuses: ids in two splits, texts that nearly repeat, and everything that was skipped."""

from __future__ import annotations

import io
import json
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.urls import reverse

from audit.models import AuditEntry
from contracts.actor import Actor, Role
from experiments import golden_files
from experiments.datasets import dataset_store, dialogues_load
from experiments.importers.report import report_lines
from experiments.models import Dataset
from kernel.errors import InvalidInput
from tests.access.people import client_of, person
from tests.experiments.files import both, jsonl_file, locomo_file, memory_line, question_line, sample
from tests.experiments.makers import example

pytestmark = pytest.mark.django_db

LOOM = "My sister Vera paid 450 euros for the old loom that she found in a barn near Tartu."
COPY = LOOM.replace("450", "380")
ASKED = "How much did my sister Vera pay for the old loom from the barn?"


def loaded(path: Path, actor: Actor, form: str = "jsonl", **splits: Any) -> Dataset:
    return dialogues_load(format_name=form, path=path, dataset="d", splits=splits, actor=actor)


def copied(folder: Path) -> Path:
    return jsonl_file(
        folder, memory_line("c1", text=LOOM), question_line("c1", query=ASKED),
        memory_line("c2", text=COPY), question_line("c2", query=f"{ASKED[:-1]} in Tartu?"), *both("c3"),
    )  # fmt: skip


def test_load__nearly_the_same_texts_in_two_splits__are_reported_by_id(tmp_path: Path, bob: Actor) -> None:
    report = loaded(copied(tmp_path), bob, train=["c1"], golden=["c2"], validation=["c3"]).report

    assert report["leakage"]["count"] == 2
    assert {tuple(pair[:2]) for pair in report["leakage"]["nearest"]} == {
        ("c1/q1 (train)", "c2/q1 (golden)"),
        ("c1/m1 (train)", "c2/m1 (golden)"),
    }
    assert "loom" not in json.dumps(report)  # everybody may read the report, and golden texts nobody


def test_load__the_same_texts_in_one_split__are_nothing_to_report(tmp_path: Path, bob: Actor) -> None:
    report = loaded(copied(tmp_path), bob, train=["c1", "c2"], golden=["c3"]).report
    assert report["leakage"] == {"count": 0, "nearest": []}
    assert "No text of one split is nearly the same as one of another." in report_lines(report)


@pytest.mark.parametrize(
    ("golden", "what"),
    [
        (example("e1", user=2, expected_memory_ids=()), "question e1"),
        (example("e2", expected_memory_ids=()), f"person {uuid.UUID(int=1)}"),
        (example("e2", user=2), f"memory {uuid.UUID(int=7)}"),
    ],
)
def test_store__id_in_two_splits__is_refused_and_stores_nothing(bob: Actor, golden: Any, what: str) -> None:
    values = {"train": [example("e1")], "golden": [golden]}
    with pytest.raises(InvalidInput, match=f"train and golden share the {what}"):
        dataset_store(name="d", source="test", values=values, report={}, actor=bob)
    assert not Dataset.objects.exists()


def test_load__conversation_that_no_split_names__is_among_the_skipped(tmp_path: Path, bob: Actor) -> None:
    report = loaded(jsonl_file(tmp_path, *both("c1"), *both("c2"), *both("c3")), bob, train=["c2"]).report
    assert report["skipped"] == [{"reason": "a conversation that no split names", "count": 2, "first": "c1"}]


def test_report__of_an_import__says_in_sentences_what_was_taken_and_skipped(tmp_path: Path, bob: Actor) -> None:
    report = loaded(locomo_file(tmp_path, sample()), bob, "locomo", validation=["talk-1"]).report
    lines = report_lines({**report, "skipped": [{"reason": "adversarial", "count": 2, "first": "here"}]})
    assert lines[0].endswith("(locomo): 1 conversations, 5 memories and 3 questions were read.")
    assert lines[1] == "Validation: 3 questions of 1 conversations (talk-1)."
    assert "Skipped 2 times: adversarial. First: here." in lines
    assert "Nothing was skipped." in report_lines(report)


def test_report__of_an_import__is_shown_in_the_admin(tmp_path: Path, bob: Actor) -> None:
    dataset = loaded(copied(tmp_path), bob, train=["c1"], golden=["c2"])
    client = client_of(person("charlie", Role.VIEWER))
    page = client.get(reverse("admin:experiments_dataset_change", args=[dataset.pk])).content.decode()
    assert "Skipped 1 time: a conversation that no split names. First: c3." in page
    assert "2 pairs of texts in two splits are nearly the same" in page


def test_locomo__question_without_text__is_skipped_with_the_reason(tmp_path: Path, bob: Actor) -> None:
    item = sample()
    item["qa"][0]["question"] = "  "
    report = loaded(locomo_file(tmp_path, item), bob, "locomo", validation=["talk-1"]).report
    assert [(row["reason"], row["count"]) for row in report["skipped"]] == [("a question without text", 1)]


# --- the commands -----------------------------------------------------------------------------------------------------


def test_check_scenarios__bundled__has_the_golden_stories_among_them() -> None:
    told = io.StringIO()
    call_command("check_scenarios", "--json", stdout=told)
    report = json.loads(told.getvalue())
    assert report["ok"]
    assert {item["split"] for item in report["scenarios"]} == {"train", "validation", "golden"}


def test_check_scenarios__golden_file_changed_by_a_byte__is_not_sound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in golden_files.FOLDER.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    changed = next(tmp_path.glob("*.json"))
    changed.write_bytes(changed.read_bytes() + b"\n")
    monkeypatch.setattr(golden_files, "FOLDER", tmp_path)
    with pytest.raises(SystemExit):
        call_command("check_scenarios")
    assert f"BAD the golden file {changed.name} was changed" in capsys.readouterr().out


def test_seal_golden__changed_file_and_a_reason__is_sealed_and_in_the_change_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "one.json").write_text("{}")
    golden_files.files_seal(tmp_path)
    (tmp_path / "one.json").write_text("{ }")
    monkeypatch.setattr(golden_files, "FOLDER", tmp_path)
    told = io.StringIO()

    call_command("seal_golden", "--reason", "a typing error", stdout=told)

    assert golden_files.files_problems() == []
    assert "one.json was changed" in told.getvalue()
    entry = AuditEntry.objects.get(action="golden.files_sealed")
    assert (entry.reason, entry.before) == ("a typing error", {"differed": ["the golden file one.json was changed"]})


def test_seal_golden__without_a_reason__is_refused() -> None:
    with pytest.raises(InvalidInput, match="needs a reason"):
        call_command("seal_golden", "--reason", " ")
