"""How the blind phrases (blind.yaml, blind_outsider.yaml, blind_third.yaml) are compared with what the translator says.

`DJANGO_SETTINGS_MODULE=selflearn_site.settings python -m tests.goals.blindly` prints the score and the misses.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

import yaml

from contracts.goal import GoalTranslation
from contracts.metric import METRICS
from goals.translation import translate
from kernel.errors import InvalidInput
from tuner.registry import FACTORS

HERE = Path(__file__).parent
PHRASES: list[dict[str, Any]] = yaml.safe_load((HERE / "blind.yaml").read_text("utf-8"))
THIRD: list[dict[str, Any]] = yaml.safe_load((HERE / "blind_third.yaml").read_text("utf-8"))
_CATEGORIES = {"preferences": "preference", "personal_memory": "personal"}
"""Names that the contract leaves open, as this project has them."""


def outsiders() -> list[dict[str, Any]]:
    """The phrases of blind_outsider.yaml in the form of blind.yaml."""
    rows = yaml.safe_load((HERE / "blind_outsider.yaml").read_text("utf-8"))
    return [{"text": row["text"], **_form(row["expected"] or {})} for row in rows]


def _form(expected: dict[str, Any]) -> dict[str, Any]:
    names = {"forbidden_impacts": "forbidden", "allowed_impacts": "only"}
    found = {names.get(name, name): value for name, value in expected.items()}
    for target in found.get("targets", []):
        if "category" in target:
            target["category"] = _CATEGORIES.get(target["category"], target["category"])
    return found


_ANY = "any"


def keys(patterns: list[str]) -> list[str]:
    """Factor keys of the registry that these patterns name; `prompts.*` stands for a whole group."""
    return [key for key in FACTORS if any(_named(key, pattern) for pattern in patterns)]


def _named(key: str, pattern: str) -> bool:
    return key == pattern or (pattern.endswith("*") and key.startswith(pattern[:-1]))


def misses(phrase: dict[str, Any], read: GoalTranslation) -> list[str]:
    """The parts of the translation that are not what the phrase means; empty when all of it is."""
    said = read.to_json()
    wrong = []
    targets = phrase.get("targets", [])
    if len(targets) != len(said["targets"]) or not all(map(_same_target, targets, said["targets"])):
        wrong.append("targets")
    wanted, got = phrase.get("constraints", []), said["constraints"]
    found = all(any(_same_constraint(one, other) for other in got) for one in wanted)
    if not found or (len(wanted) != len(got) and "constraints" not in phrase.get("open", [])):
        wrong.append("constraints")
    if "only" in phrase:
        if sorted(said["allowed_impacts"]) != sorted(keys(phrase["only"])):
            wrong.append("allowed")
    elif sorted(said["forbidden_impacts"]) != sorted(keys(phrase.get("forbidden", []))):
        wrong.append("forbidden")
    if said["autonomy"] != phrase.get("autonomy"):
        wrong.append("autonomy")
    if {name: value for name, value in said["budget"].items() if value is not None} != phrase.get("budget", {}):
        wrong.append("budget")
    if said["conflicts"]:
        wrong.append("conflicts")
    return wrong


def _same_target(wanted: dict[str, Any], got: dict[str, Any]) -> bool:
    relative = wanted.get("relative") == _ANY or bool(wanted.get("relative")) == got["relative"]
    named = ("metric", "direction", "value", "delta", "category")
    return relative and all(_same(wanted.get(name), got[name]) for name in named)


def _same_constraint(wanted: dict[str, Any], got: dict[str, Any]) -> bool:
    kinds = all(wanted[name] == got[name] for name in ("metric", "kind"))
    return kinds and ("value" not in wanted or _same(wanted["value"], got["value"]))


def _same(wanted: Any, got: Any) -> bool:
    if wanted == _ANY:
        return True
    if isinstance(wanted, int | float) and isinstance(got, int | float):
        return math.isclose(wanted, got, rel_tol=2e-3, abs_tol=1e-9)
    return bool(wanted == got)


def scored(phrases: list[dict[str, Any]]) -> list[tuple[str, list[str]]]:
    """Each phrase with what is wrong about its translation."""
    return [(phrase["text"], _wrong(phrase)) for phrase in phrases]


def _wrong(phrase: dict[str, Any]) -> list[str]:
    try:
        return misses(phrase, translate(phrase["text"], metrics=METRICS, factors=FACTORS))
    except InvalidInput:
        return ["refused"]


def main() -> None:
    sets = {"blind.yaml": PHRASES, "blind_outsider.yaml": outsiders(), "blind_third.yaml": THIRD}
    for name, phrases in sets.items():
        rows = scored(phrases)
        for text, wrong in rows:
            if wrong:
                sys.stdout.write(f"{', '.join(wrong):24} {text}\n")
        sys.stdout.write(f"{name}: {sum(not wrong for _, wrong in rows)} of {len(rows)}\n")


if __name__ == "__main__":
    main()
