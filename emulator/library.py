"""Reads scenario and persona files. A bad file is named with the place in it; nothing is guessed."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from emulator.domain.rules import scenario_gaps, scenario_problems
from emulator.domain.scenario import Persona, Scenario
from kernel.errors import InvalidInput

__all__ = ["bundled_scenarios", "load_index", "load_personas", "load_scenario", "scenario_gaps", "scenario_problems"]

DATA = Path(__file__).parent / "data"
_PERSONAS = TypeAdapter(tuple[Persona, ...])
_INDEX = TypeAdapter(dict[str, tuple[str, ...]])


def load_scenario(path: Path) -> Scenario:
    """Read one scenario file.

    Raises `InvalidInput` whose message names the file and the place in it: line and column when it is not JSON,
    the path (`threads.3.turns.2.query.kind`) when a field is wrong.
    """
    data = _read(path)
    try:
        return Scenario.model_validate(data)
    except ValidationError as error:
        raise _invalid(path, error) from error


def load_personas(path: Path = DATA / "sim_personas.json") -> dict[str, Persona]:
    """Personas by id. Raises `InvalidInput`."""
    try:
        personas = _PERSONAS.validate_python(_read(path))
    except ValidationError as error:
        raise _invalid(path, error) from error
    return {persona.id: persona for persona in personas}


def load_index(path: Path = DATA / "sim_scenarios.json") -> dict[str, tuple[str, ...]]:
    """Split name → ids of the scenarios in it (files `scenarios/<id>.json` beside the index). Raises `InvalidInput`."""
    try:
        return _INDEX.validate_python(_read(path))
    except ValidationError as error:
        raise _invalid(path, error) from error


@cache
def bundled_scenarios(split: str) -> tuple[Scenario, ...]:
    """The scenarios that come with the project, of one split (train or validation), in the order of the index.

    Golden stories are not here: they belong to the experiments, and the emulator never reads them.
    """
    index = load_index()
    if split not in index:
        raise InvalidInput(
            f"no bundled scenarios of split {split!r}; there are {', '.join(sorted(index))}", details={"field": "split"}
        )
    scenarios = tuple(load_scenario(DATA / "scenarios" / f"{name}.json") for name in index[split])
    for scenario in scenarios:
        if scenario.split != split:
            raise InvalidInput(f"scenario {scenario.id} says split {scenario.split}, the index says {split}")
    return scenarios


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidInput(f"{path}: cannot be read ({error.strerror})", details={"file": str(path)}) from error
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path}: is not UTF-8 text", details={"file": str(path)}) from error
    except json.JSONDecodeError as error:
        raise InvalidInput(
            f"{path}: line {error.lineno}, column {error.colno}: {error.msg}",
            details={"file": str(path), "line": error.lineno, "column": error.colno},
        ) from error


def _invalid(path: Path, error: ValidationError) -> InvalidInput:
    found = [(".".join(str(part) for part in item["loc"]) or "(whole file)", item["msg"]) for item in error.errors()]
    shown = "; ".join(f"{where}: {what}" for where, what in found[:5])
    more = f"; and {len(found) - 5} more" if len(found) > 5 else ""
    return InvalidInput(
        f"{path}: {shown}{more}",
        details={"file": str(path), "errors": [{"path": where, "message": what} for where, what in found]},
    )
