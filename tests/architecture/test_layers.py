"""What import-linter cannot see: packages outside its list, and which way foreign keys point."""

from __future__ import annotations

import configparser
from pathlib import Path

import pytest
from django.apps import apps
from django.db.models import ForeignKey, ManyToManyField, Model

from selflearn_site.database.router import alias_of

ROOT = Path(__file__).resolve().parents[2]
BESIDE_THE_HOUSE = {"tests", "benchmarks"}


def _config() -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read(ROOT / ".importlinter")
    return parser


def _ranks() -> dict[str, int]:
    """Package name to height; packages side by side share one."""
    layers = _config()["importlinter:contract:layers"]["layers"].split("\n")
    filled = [line for line in layers if line.strip()]
    return {name.strip(): -height for height, line in enumerate(filled) for name in line.split("|")}


def _packages() -> set[str]:
    return {path.parent.name for path in ROOT.glob("*/__init__.py")} - BESIDE_THE_HOUSE


def test_import_contracts__packages_of_the_project__are_all_listed() -> None:
    roots = {line.strip() for line in _config()["importlinter"]["root_packages"].split("\n") if line.strip()}
    assert roots == _packages() == set(_ranks())


def _relations() -> list[tuple[str, type[Model], type[Model]]]:
    found = []
    for model in apps.get_models():
        for field in model._meta.get_fields():
            if isinstance(field, ForeignKey | ManyToManyField) and isinstance(field.related_model, type):
                found.append((f"{model._meta.label}.{field.name}", model, field.related_model))
    return found


def _room(model: type[Model]) -> str:
    return model.__module__.split(".")[0]


@pytest.mark.parametrize(
    ("name", "source", "target"), _relations(), ids=lambda value: value if isinstance(value, str) else ""
)
def test_foreign_key__of_any_model__points_down_and_stays_in_its_database(
    name: str, source: type[Model], target: type[Model]
) -> None:
    ranks = _ranks()
    assert alias_of(source._meta.app_label) == alias_of(target._meta.app_label), f"{name} joins two databases"
    if _room(source) in ranks and _room(source) != _room(target):
        assert _room(target) not in ranks or ranks[_room(target)] < ranks[_room(source)], f"{name} points upwards"


def test_files_of_the_project__never__grow_over_400_lines() -> None:
    folders = [ROOT / name for name in (*_packages(), "tests", "benchmarks")]
    files = [path for folder in folders for path in folder.rglob("*.py")]
    long = {str(path.relative_to(ROOT)): lines for path in files if (lines := len(path.read_text().splitlines())) > 400}
    assert long == {}
