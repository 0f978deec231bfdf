"""How well small talk is told from what is worth remembering, and the fit of the weights that tell it.

    python -m benchmarks.small_talk            counts: turns of small talk remembered, statements lost
    python -m benchmarks.small_talk --fit      first fits llm/offline/telling_weights.json anew (half a minute)

Fitted on lines written for it (small_talk_lines/), the train stories and everyday notes; never on validation or golden
stories, of which nothing but counts is printed, nor on tests/llm/small_talk, which judges the fit.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from emulator.domain.scenario import Language, Scenario
from emulator.everyday import everyday_notes
from emulator.generator import scenario_variant
from emulator.library import bundled_scenarios, load_scenario
from llm.offline.speech import is_empty_talk, is_question
from llm.offline.summary import summarise
from llm.offline.telling import WEIGHTS_FILE, is_weighed, signs
from llm.offline.telling_words import PASSING, TOLD
from llm.text import sentences

HERE = Path(__file__).parent
LINES = HERE / "small_talk_lines"
HELD_OUT = HERE.parent / "tests" / "llm" / "small_talk"
GOLDEN = HERE.parent / "experiments" / "golden"
LANGUAGES: tuple[Language, ...] = ("en", "ru")
VARIANTS = 6
NOTEBOOKS = 6
ROUNDS = 4
"""Of a turn that tells, only the sentence that tells most is fitted, chosen anew in each round."""
PRIOR = 0.7
"""Where the weight of a class starts from (told +, passing -): a class seen seldom keeps what its name says."""
TOLD_COSTS = 2.0
"""Times that a lost statement costs what remembered small talk costs."""
FOR_TELLING = TOLD | frozenset(
    """
    digits name names_self lasting abstains does has is_good_at third we mine past past_be future linking place marks
    uncommon uncommon_more told_share told>=2 told>=3 told>=5 none_passing words>=10 words>=14 words>=20
    """.split()  # noqa: SIM905
)
FOR_PASSING = PASSING | frozenset(
    """
    doing_now soon greets signs_in compares you now exclaiming exclaims trails_off tone opens_bare is_doing none_told
    passing_share
    """.split()  # noqa: SIM905
)
"""Signs whose weight may not turn against what they stand for; all others are free."""
LEANING = TOLD | {"digits", "name", "names_self", "lasting", "abstains", "is_good_at"}
AGAINST = PASSING | {"doing_now", "soon", "greets", "signs_in", "compares"}


class Turn(NamedTuple):
    text: str
    tells: bool
    weight: float


def _own(folder: Path) -> Iterator[Turn]:
    for kind in ("chat", "told"):
        for language in LANGUAGES:
            for line in (folder / f"{kind}_{language}.txt").read_text(encoding="utf-8").splitlines():
                yield Turn(line, kind == "told", 1.0)


def _story(scenario: Scenario) -> Iterator[Turn]:
    for _, _, turn in scenario.turns():
        if turn.query is None:
            yield Turn(turn.text, bool(turn.events), 1.0 if turn.events else 0.6)


def _notes(seed: int, count: int = 220) -> Iterator[Turn]:
    for language in LANGUAGES:
        for note in everyday_notes(language=language, seed=seed, starts_on=date(2024, 1, 1), days=200, count=count):
            yield Turn(note.text, True, 0.3)


def _fitted_on() -> list[Turn]:
    stories = (
        turn
        for scenario in bundled_scenarios("train")
        for number in range(VARIANTS)
        for turn in _story(scenario_variant(scenario, number=number))
    )
    notes = (turn for seed in range(NOTEBOOKS) for turn in _notes(seed))
    return list({turn.text: turn for turn in (*_own(LINES), *stories, *notes)}.values())


def _weighed(text: str) -> list[str]:
    said = (sentence for sentence in sentences(text) if not is_question(sentence) and not is_empty_talk(sentence))
    return [sentence for sentence in said if is_weighed(sentence)]


def fit(turns: list[Turn]) -> dict[str, float]:
    """Weights of a logistic regression on the signs of each sentence; the same turns give the same weights."""
    from scipy.optimize import minimize

    read = [(number, turn, signs(text)) for number, turn in enumerate(turns) for text in _weighed(turn.text)]
    names = sorted({name for _, _, found in read for name in found})
    amounts = np.array([[found.get(name, 0.0) for name in names] for _, _, found in read])
    tells = np.array([float(turn.tells) for _, turn, _ in read])
    costs = np.array([turn.weight * (TOLD_COSTS if turn.tells else 1.0) for _, turn, _ in read])
    prior = np.array([PRIOR * ((name in LEANING) - (name in AGAINST)) for name in names])
    tied = np.array([0.001 if name == "bias" else 1.0 for name in names])
    bounds = [(0.0 if name in FOR_TELLING else None, 0.0 if name in FOR_PASSING else None) for name in names]
    chosen = np.ones(len(read), dtype=bool)
    weights = np.zeros(len(names))

    def loss(tried: Any) -> tuple[float, Any]:
        odds = amounts[chosen] @ tried
        missed = costs[chosen] * (1 / (1 + np.exp(-odds)) - tells[chosen])
        away = tied * (tried - prior)
        worth = (costs[chosen] * (np.logaddexp(0, odds) - tells[chosen] * odds)).sum() + away @ (tried - prior) / 2
        return worth, amounts[chosen].T @ missed + away

    for _ in range(ROUNDS):
        weights = minimize(loss, weights, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 500}).x
        odds = amounts @ weights
        most: dict[int, float] = defaultdict(lambda: -np.inf)
        for (number, _, _), score in zip(read, odds, strict=True):
            most[number] = max(most[number], score)
        chosen = np.array(
            [not turn.tells or score >= most[number] for (number, turn, _), score in zip(read, odds, strict=True)]
        )
    return {name: round(float(weight), 3) for name, weight in zip(names, weights, strict=True)}


def _remembered(text: str) -> bool:
    return bool(summarise(user=text, max_tags=5, summary_length="medium")["remember"])


def count(turns: list[Turn]) -> dict[str, int]:
    """`chat`, `chat_remembered`, `told`, `told_lost` of turns; no text leaves this function."""
    chat = [turn for turn in turns if not turn.tells]
    told = [turn for turn in turns if turn.tells]
    return {
        "chat": len(chat),
        "chat_remembered": sum(_remembered(turn.text) for turn in chat),
        "told": len(told),
        "told_lost": sum(not _remembered(turn.text) for turn in told),
    }


def facts_lost(scenarios: list[Scenario]) -> tuple[int, int]:
    """Words of an expected statement that a right answer must hold: those that its memory lacks, and all."""
    lost = whole = 0
    for scenario in scenarios:
        said = {event.id: turn.text for _, turn in scenario.statements() for event in turn.events}
        for _, _, query in scenario.queries():
            texts = [said[name] for name in query.expects]
            kept = [summarise(user=text, max_tags=5, summary_length="long")["summary"] for text in texts]
            for fact in query.key_facts:
                if any(fact.lower() in text.lower() for text in texts):
                    whole += 1
                    lost += not any(fact.lower() in text.lower() for text in kept)
    return lost, whole


def _stories(splits: list[str]) -> dict[str, list[Scenario]]:
    found: dict[str, list[Scenario]] = {}
    for split in splits:
        if split == "golden":
            found[split] = [load_scenario(path) for path in sorted(GOLDEN.glob("*.json"))]
        else:
            found[split] = [scenario_variant(scenario, number=0) for scenario in bundled_scenarios(split)]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fit", action="store_true", help="fit the weights anew")
    parser.add_argument("--splits", nargs="*", default=["train", "validation", "golden"], help="stories to count")
    options = parser.parse_args()
    if options.fit:
        WEIGHTS_FILE.write_text(json.dumps(fit(_fitted_on()), indent=1) + "\n", encoding="utf-8")
    print("fitted lines", count(list(_own(LINES))))
    print("held-out lines", count(list(_own(HELD_OUT))))
    print("everyday notes", count(list(_notes(77))))
    for split, scenarios in _stories(options.splits).items():
        print(split, count([turn for scenario in scenarios for turn in _story(scenario)]), "key facts lost, of:",
              *facts_lost(scenarios))  # fmt: skip


if __name__ == "__main__":
    main()
