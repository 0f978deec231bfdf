"""Experiment specs as text that people write: JSON or YAML in, every error by its path; YAML or JSON out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from contracts.experiment_spec import ExperimentSpec
from contracts.text import parse_mapping
from kernel.errors import InvalidInput

LONGEST = 100_000
"""Characters of a spec; more is no spec that a person wrote."""


@dataclass(frozen=True, slots=True)
class SpecError:
    """What is wrong, and where: `variants.1.params.retrieval.top_k`; an empty path means the whole."""

    path: str
    message: str

    def to_json(self) -> dict[str, str]:
        return {"path": self.path, "message": self.message}

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


def refuse(errors: Sequence[SpecError]) -> InvalidInput:
    """All errors of a spec as one refusal; `details.errors` has each with its path."""
    return InvalidInput("; ".join(map(str, errors)), details={"errors": [item.to_json() for item in errors]})


def spec_read(text: str) -> ExperimentSpec:
    """The spec, or the one inside an exported experiment. Raises `InvalidInput` with every error."""
    if len(text) > LONGEST:
        raise InvalidInput(f"a spec has at most {LONGEST:,} characters, not {len(text):,}", details={"field": "spec"})
    data = parse_mapping(text)
    inner = data.get("spec")
    try:
        return ExperimentSpec.from_mission_json(inner if isinstance(inner, dict) and "variants" not in data else data)
    except ValidationError as error:
        raise refuse([SpecError(_path(item["loc"]), _said(item)) for item in error.errors()]) from error


def spec_write(spec: Mapping[str, Any], *, form: str = "yaml") -> str:
    """A stored spec as `yaml` or `json`, exactly as it is stored; `spec_read` takes it."""
    return mapping_write(spec, form=form)


def mapping_write(data: Mapping[str, Any], *, form: str) -> str:
    """In the order of its keys. Raises `InvalidInput` for a form that is neither `yaml` nor `json`."""
    if form == "json":
        return json.dumps(data, ensure_ascii=False, indent=2) + "\n"
    if form != "yaml":
        raise InvalidInput(f"a spec is written as yaml or json, not {form}", details={"field": "format"})
    import yaml

    return yaml.safe_dump(dict(data), sort_keys=False, allow_unicode=True)


def _path(parts: Sequence[int | str]) -> str:
    return ".".join(map(str, parts))


def _said(item: Mapping[str, Any]) -> str:
    """Pydantic's sentence, without its prefix for our own."""
    return str(item["msg"]).removeprefix("Value error, ")
