"""Do generated dialogues repeat their texts? Over all train families, in the scripts that simulated users follow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any

from emulator.scripts import scenario_scripts
from llm.text import sentences

DIALOGUES, QUICK_DIALOGUES = 1000, 150
SET_PHRASE = 4
"""Messages of so many words or fewer ("Thanks, bye") are set phrases: everybody repeats them."""


@dataclass(frozen=True, slots=True)
class Variety:
    """How many texts of one kind there are, how many of them differ, and how often the commonest one comes."""

    texts: int
    distinct: int
    most: int

    @property
    def share(self) -> float:
        """Distinct texts as a share of all, 0 to 1."""
        return self.distinct / self.texts if self.texts else 1.0


def variety(*, dialogues: int, seed: int) -> dict[str, Variety]:
    """Kind → its figures: `dialogues` as wholes, `messages` longer than a set phrase, and among them `statements`,
    `questions` and `chat`; `sentences` are those of statements, again longer than a set phrase."""
    scripts = scenario_scripts(dialogues=dialogues, seed=seed, user_salt="variety")
    turns = [turn for script in scripts for turn in script.turns]
    told = [turn.text for turn in turns if turn.event_ids]
    found: dict[str, Iterable[str]] = {
        "dialogues": ("\n".join(turn.text for turn in script.turns) for script in scripts),
        "messages": filter(_is_long, (turn.text for turn in turns)),
        "statements": told,
        "questions": filter(_is_long, (turn.text for turn in turns if turn.query)),
        "chat": filter(_is_long, (turn.text for turn in turns if not turn.query and not turn.event_ids)),
        "sentences": filter(_is_long, (sentence for text in told for sentence in sentences(text))),
    }
    return {kind: _counted(texts) for kind, texts in found.items()}


def run(quick: bool = False, say: Callable[[str], None] = print) -> dict[str, Any]:
    """The figures of three seeds; `ok` when every seed keeps the limits that docs/SCENARIOS.md names."""
    rows = []
    for seed in (1, 2, 3):
        figures = variety(dialogues=QUICK_DIALOGUES if quick else DIALOGUES, seed=seed)
        for kind, found in figures.items():
            say(
                f"seed {seed}: {kind:<10} {found.texts:>6}, distinct {found.distinct:>6} ({found.share:.1%}), "
                f"the commonest {found.most} times"
            )
        rows.append({"seed": seed} | {kind: asdict(found) | {"share": found.share} for kind, found in figures.items()})
    return {"rows": rows, "ok": all(_keeps_limits(row) for row in rows)}


def _keeps_limits(row: dict[str, Any]) -> bool:
    return all(
        (
            row["dialogues"]["share"] == 1,
            row["statements"]["share"] >= 0.97,
            row["messages"]["share"] >= 0.9,
            row["messages"]["most"] <= 3,
        )
    )


def _is_long(text: str) -> bool:
    return len(text.split()) > SET_PHRASE


def _counted(texts: Iterable[str]) -> Variety:
    counts = Counter(texts)
    return Variety(counts.total(), len(counts), max(counts.values(), default=0))
