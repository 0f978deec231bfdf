"""The golden set's guards: its seal, the role that its rows need, and what is done when it was tampered with."""

from __future__ import annotations

import ast
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import ProgrammingError, connection
from django.utils import timezone

from contracts.actor import Actor
from experiments import golden as golden_module
from experiments.datasets import dataset_store
from experiments.golden import golden_examples, golden_seal, golden_values
from experiments.golden_access import golden_access, golden_rows
from experiments.golden_files import BUNDLED, SEAL, files_problems, files_seal
from experiments.models import Dataset, EvaluationExample, GoldenExample, GoldenSeal
from experiments.selectors import split_sizes
from incidents.models import Incident
from kernel.errors import Conflict, NotFound
from sensor.models import SensorEvent
from sensor.selectors import events
from tests.experiments.makers import example

ROOT = Path(golden_module.__file__).parents[1]


def keep(actor: Actor, *names: str, dataset: str = "d") -> Dataset:
    values = {"golden": [example(name) for name in names or ("e1", "e2")]}
    return dataset_store(name=dataset, source="test", values=values, report={}, actor=actor)


def as_runtime(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


# --- the seal ---------------------------------------------------------------------------------------------------------

ADD = (
    "INSERT INTO golden_examples (id, dataset_id, external_id, user_id, query, asked_at, expected_memory_ids,"
    " key_facts, forbidden, should_retrieve, category, difficulty, cluster)"
    " SELECT gen_random_uuid(), dataset_id, 'e3', user_id,"
    " query, asked_at, expected_memory_ids, key_facts, forbidden, should_retrieve, category, difficulty, cluster"
    " FROM golden_examples WHERE external_id = 'e1'"
)


@pytest.mark.parametrize(
    ("tampering", "told"),
    [
        (
            "UPDATE golden_examples SET query = overlay(query placing 'w' from 1) WHERE external_id = 'e1'",
            "1 changed (e1)",
        ),
        ("UPDATE golden_examples SET category = 'temporal'", "2 changed (e1, e2)"),
        ("UPDATE golden_examples SET difficulty = 'hard' WHERE external_id = 'e2'", "1 changed (e2)"),
        ("UPDATE golden_examples SET cluster = 'x' WHERE external_id = 'e2'", "1 changed (e2)"),
        ("UPDATE golden_examples SET key_facts = '{a}'", "2 changed"),
        ("UPDATE golden_examples SET forbidden = '{b}'", "2 changed"),
        ("UPDATE golden_examples SET should_retrieve = false", "2 changed"),
        ("UPDATE golden_examples SET expected_memory_ids = '{}'", "2 changed"),
        ("UPDATE golden_examples SET asked_at = asked_at + interval '1 microsecond'", "2 changed"),
        ("DELETE FROM golden_examples WHERE external_id = 'e2'", "1 missing (e2)"),
        ("UPDATE golden_examples SET retired_in = 1 WHERE external_id = 'e2'", "1 missing (e2)"),
        (ADD, "1 added (e3)"),
        ("UPDATE golden_seals SET content_hash = 'x'", "the recorded hash was changed"),
        ("UPDATE datasets SET golden_hash = 'x'", "the hash on the data set is not the one of its seal"),
    ],
)
def test_golden__changed_as_owner_behind_our_back__is_refused_with_a_critical_incident(
    transactional_db: None, bob: Actor, as_owner: Any, tampering: str, told: str
) -> None:
    keep(bob)
    with as_owner(), connection.cursor() as cursor:
        cursor.execute(tampering)

    with pytest.raises(Conflict, match="'d' is not the one that was sealed") as refused:
        golden_examples(dataset="d")

    incident = Incident.objects.get()
    assert (incident.kind, incident.severity, incident.subject) == ("golden_seal", "critical", "golden:d")
    assert told in refused.value.message
    assert told in incident.detail


@pytest.mark.django_db
def test_golden__refused_twice__is_one_incident(bob: Actor) -> None:
    keep(bob)
    Dataset.objects.update(golden_hash="x")
    for _ in range(2):
        with pytest.raises(Conflict):
            golden_examples(dataset="d")
    assert Incident.objects.count() == 1


@pytest.mark.django_db
def test_golden__sealed__counts_as_its_split_and_says_who_and_why(bob: Actor) -> None:
    dataset = keep(bob)
    seal = golden_seal(dataset="d")
    assert (seal.number, seal.size, seal.change, seal.actor, seal.reason) == (1, 2, "loaded", "person:bob", "test")
    assert seal.content_hash == dataset.golden_hash
    assert split_sizes(dataset="d") == {"train": 0, "validation": 0, "golden": 2}


@pytest.mark.django_db
def test_golden_seal__unknown_data_set__is_not_found() -> None:
    with pytest.raises(NotFound):
        golden_seal(dataset="x")


@pytest.mark.django_db
def test_golden_seal__never_sealed__says_what_to_do() -> None:
    Dataset.objects.create(name="d", source="test")
    with pytest.raises(Conflict, match="never sealed"):
        golden_examples(dataset="d")


@pytest.mark.django_db
def test_golden_seal__of_a_time_before_the_first__is_the_first(bob: Actor) -> None:
    keep(bob)
    assert golden_seal(dataset="d", at=timezone.now() - timedelta(days=9)).number == 1


# --- the files --------------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("one", "two"):
        (tmp_path / f"{name}.json").write_text(f'{{"{name}": 1}}')
    files_seal(tmp_path)
    return tmp_path


def test_files__as_sealed__have_no_problems(folder: Path) -> None:
    assert files_problems(folder) == []


def test_files__of_this_repository__are_the_ones_that_were_sealed() -> None:
    assert files_problems() == []


def test_files__one_byte_changed__is_said(folder: Path) -> None:
    (folder / "one.json").write_text('{"one": 2}')
    assert files_problems(folder) == ["the golden file one.json was changed"]


def test_files__missing_and_added__are_said(folder: Path) -> None:
    (folder / "one.json").rename(folder / "three.json")
    assert files_problems(folder) == ["the golden file one.json is missing", "the golden file three.json is not sealed"]


def test_files__without_a_seal__are_refused(folder: Path) -> None:
    (folder / SEAL).unlink()
    assert "cannot be read" in files_problems(folder)[0]


@pytest.mark.django_db
def test_golden__of_the_bundled_set_with_a_changed_file__is_refused(
    bob: Actor, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(bob, dataset=BUNDLED)
    monkeypatch.setattr("experiments.golden_files.FOLDER", folder)
    assert len(golden_examples(dataset=BUNDLED)) == 2
    (folder / "two.json").write_text('{"two": 2}')

    with pytest.raises(Conflict, match=r"golden file two\.json was changed"):
        golden_examples(dataset=BUNDLED)
    assert Incident.objects.get().severity == "critical"


# --- the role ---------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    [
        "SELECT query FROM golden_examples",
        "SELECT count(*) FROM golden_examples",
        "UPDATE golden_examples SET query = ''",
        "DELETE FROM golden_examples",
        "TRUNCATE golden_examples",
        "UPDATE golden_seals SET content_hash = ''",
        "DELETE FROM golden_seals",
        "INSERT INTO golden_seals (number) VALUES (2)",
    ],
)
def test_runtime_role__without_the_golden_role__is_refused(bob: Actor, statement: str) -> None:
    keep(bob)
    with pytest.raises(ProgrammingError, match="permission denied"):
        as_runtime(statement)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE golden_examples SET query = ''",
        "DELETE FROM golden_examples",
        "UPDATE golden_seals SET content_hash = ''",
        "SELECT query FROM sensor_events",
        "SELECT query FROM experiment_examples",
        "UPDATE datasets SET golden_hash = ''",
    ],
)
def test_golden_role__changing_content_or_reading_elsewhere__is_refused(bob: Actor, statement: str) -> None:
    keep(bob)
    with pytest.raises(ProgrammingError, match="permission denied"), golden_access():
        as_runtime(statement)


@pytest.mark.django_db
def test_golden_rows__read_through_the_model_without_the_door__is_refused(bob: Actor) -> None:
    keep(bob)
    with pytest.raises(ProgrammingError, match="permission denied"):
        GoldenExample.objects.count()


@pytest.mark.django_db
def test_golden_access__inside_a_transaction__gives_the_role_back(bob: Actor) -> None:
    keep(bob)
    with golden_access(), golden_access():
        assert GoldenExample.objects.count() == 2
    assert EvaluationExample.objects.count() == 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == ("selflearn_app",)


@pytest.mark.django_db
def test_golden_access__after_an_error__gives_the_role_back(bob: Actor) -> None:
    keep(bob)
    with pytest.raises(ValueError, match="x"), golden_access():
        raise ValueError("x")
    assert EvaluationExample.objects.count() == 0


def test_golden_access__outside_a_transaction__ends_with_it(transactional_db: None, bob: Actor) -> None:
    keep(bob)
    with golden_access():
        assert GoldenExample.objects.count() == 2
    with pytest.raises(ProgrammingError, match="permission denied"):
        GoldenExample.objects.count()


@pytest.mark.django_db
def test_golden_rows__listed_late__take_the_role_for_each_statement(bob: Actor) -> None:
    keep(bob)
    rows = golden_rows().filter(external_id__in=["e1", "e2"]).select_related("dataset").order_by("external_id")
    assert (rows.exists(), rows.count(), [row.dataset.name for row in rows]) == (True, 2, ["d", "d"])
    assert list(golden_rows().order_by("category").values_list("category", flat=True).distinct()) == ["factual"]


def test_modules__that_open_the_golden_door__are_few_and_known() -> None:
    """A second guard beside the import contract: whoever opens the door is named here."""
    opening = {
        str(path.relative_to(ROOT))
        for folder in ("experiments", "manager", "teacher", "emulator", "hypotheses", "sensor", "selflearn_site")
        for path in (ROOT / folder).rglob("*.py")
        if any(
            isinstance(node, ast.ImportFrom) and node.module == "experiments.golden_access"
            for node in ast.walk(ast.parse(path.read_text()))
        )
    }
    known = {"experiments/golden.py", "experiments/golden_editing.py", "experiments/admin.py"}
    ids_alone = {"experiments/expected.py"}  # which memories golden questions need, so that none is set aside
    assert opening <= known | ids_alone


# --- other ways to golden content -------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_events__of_a_golden_batch__are_given_to_the_judge_alone() -> None:
    now = timezone.now()
    common: dict[str, Any] = {
        "user_id": example().user_id, "client_kind": "emulator", "mode": "evaluation", "cycle_type": "macro",
        "status": "COMPLETED", "asked_at": now, "started_at": now, "ended_at": now, "latency_ms": 1,
        "memories_found": 0, "captured_at": now, "batch": "b",
    }  # fmt: skip
    for split in ("golden", "train", None):
        SensorEvent.objects.create(
            pipeline_run_id=example(str(split)).run_id("b", "x"), query="q", split=split, **common
        )

    assert set(events(batch="b").values_list("split", flat=True)) == {"train", None}
    assert events(split="golden").count() == 0
    assert events(batch="b", golden=True).count() == 3


@pytest.mark.django_db
def test_golden_values__of_an_earlier_seal__stay_readable(bob: Actor) -> None:
    keep(bob)
    assert [value.external_id for value in golden_values(seal=GoldenSeal.objects.get())] == ["e1", "e2"]
