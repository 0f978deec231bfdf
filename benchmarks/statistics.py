"""The table "What the engine is held to", measured: `python -m benchmarks.statistics [--quick]`.

Every row goes through `teacher.statistics.evaluate`, with fixed seeds. Full: 2000 experiments a row, some minutes;
quick: 100, to see that it runs (its shares are too coarse to judge the engine by).
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.simulation import (
    MEAN,
    TEN_LOOKS,
    Quantile,
    bernoulli,
    beta,
    draw,
    lognormal,
    run_to_verdict,
    spec,
)
from contracts.evaluation import Verdict
from contracts.experiment_spec import ExperimentSpec
from teacher.statistics import ENGINE_VERSION, evaluate

Pair = tuple[Quantile, Quantile]
_HELD = {True: "yes", False: "**no**", None: "–"}
INCREASE = {"metric": "score", "direction": "increase"}
GUARD = {"metric": "score", "direction": "no_large_drop", "max_delta": -0.03}


@dataclass(frozen=True)
class Row:
    check: str
    must_be: str
    measured: str
    ok: bool | None
    """None: told for information, and held to nothing."""


@dataclass(frozen=True)
class Outcome:
    winners: float
    losers: float
    mean_n: float

    @property
    def verdicts(self) -> float:
        return self.winners + self.losers


def simulate(
    design: ExperimentSpec, metrics: dict[str, Pair], *, repeats: int, n: int, looks: tuple[int, ...], seed: int
) -> Outcome:
    """Shares of verdicts over `repeats` experiments, each drawn anew."""
    chance = np.random.default_rng(seed)
    paired = design.assignment.mode == "paired"
    winners = losers = total = 0
    for _ in range(repeats):
        verdict, stop, _ = run_to_verdict(design, draw(chance, n, metrics, paired=paired), looks)
        winners += verdict is Verdict.WINNER
        losers += verdict is Verdict.LOSER
        total += stop
    return Outcome(winners / repeats, losers / repeats, total / repeats)


def share(value: float) -> str:
    return f"{100 * value:.1f} %"


def false_verdicts(repeats: int) -> Iterator[Row]:
    null = beta()
    for paired in (True, False):
        out = simulate(
            spec([INCREASE], paired=paired), {"score": (null, null)}, repeats=repeats, n=400, looks=TEN_LOOKS, seed=11
        )
        yield Row(
            f"A/A, bounded, {_design(paired)}, n = 400, 10 looks",
            "false winner ≤ 3.5 %, any false verdict ≤ 6.5 %",
            f"{share(out.winners)}, {share(out.verdicts)}",
            out.winners <= 0.035 and out.verdicts <= 0.065,
        )
    kinds: list[tuple[str, str, Quantile]] = [
        ("binary .05", "answer_flag", bernoulli(0.05)),
        ("binary .9", "answer_flag", bernoulli(0.9)),
        ("lognormal cost", "token_cost", lognormal()),
    ]
    for name, metric, quantile in kinds:
        for paired in (True, False):
            for looks in ((), TEN_LOOKS):
                design = spec([{"metric": metric, "direction": "increase"}], paired=paired)
                out = simulate(design, {metric: (quantile, quantile)}, repeats=repeats, n=400, looks=looks, seed=12)
                yield Row(
                    f"A/A, {name}, {_design(paired)}, n = 400, {len(looks) or 1} look{'s' if looks else ''}",
                    "any false verdict ≤ 6.5 %",
                    share(out.verdicts),
                    out.verdicts <= 0.065,
                )
    yield from _several(repeats, null)


def _several(repeats: int, null: Quantile) -> Iterator[Row]:
    names = [f"score_{place}" for place in range(6)]
    criteria: list[dict[str, Any]] = [{"metric": name, "direction": "increase"} for name in names[:3]]
    criteria += [{"metric": name, "direction": "no_large_drop", "max_delta": -0.03} for name in names[3:]]
    for any_may_win in (False, True):
        for looks in ((), TEN_LOOKS):
            design = spec(criteria, paired=True, any_may_win=any_may_win)
            metrics = dict.fromkeys(names, (null, null))
            out = simulate(design, metrics, repeats=repeats, n=400, looks=looks, seed=13)
            rule = "any may win" if any_may_win else "all must win"
            yield Row(
                f"A/A, 3 targets ({rule}) and 3 guards, {len(looks) or 1} look{'s' if looks else ''}",
                "any false verdict ≤ 6.5 %",
                share(out.verdicts),
                out.verdicts <= 0.065,
            )


def power_rows(repeats: int) -> Iterator[Row]:
    design = spec([INCREASE], paired=True)
    out = simulate(design, {"score": (beta(), beta(MEAN + 0.09))}, repeats=repeats, n=100, looks=(), seed=21)
    yield Row("power, paired, true +.09, n = 100", "≥ 88 %", share(out.winners), out.winners >= 0.88)
    out = simulate(design, {"score": (beta(), beta(MEAN + 0.05))}, repeats=repeats, n=400, looks=TEN_LOOKS, seed=22)
    yield Row(
        "power, paired, true +.05, n = 400, 10 looks",
        "≥ 93 %, mean n at stop ≤ 280",
        f"{share(out.winners)}, {out.mean_n:.0f}",
        out.winners >= 0.93 and out.mean_n <= 280,
    )
    yield from _other_reading(repeats, design)


def _other_reading(repeats: int, design: ExperimentSpec) -> Iterator[Row]:
    """The power rows when each arm has the k of its own mean; decision 0020 says why they bind nothing."""
    for effect, n, looks, seed in ((0.09, 100, (), 21), (0.05, 400, TEN_LOOKS, 22)):
        arms = beta(), beta(MEAN + effect, same_deviation=True)
        out = simulate(design, {"score": arms}, repeats=repeats, n=n, looks=looks, seed=seed)
        told = f"+{effect:.2f}, n = {n}, {len(looks) or 1} look{'s' if looks else ''}".replace("0.", ".")
        yield Row(
            f"for information: power, paired, true {told}, sd .35 in both arms instead of one k",
            "–",
            f"{share(out.winners)}, {out.mean_n:.0f}",
            None,
        )


def guard_rows(repeats: int) -> Iterator[Row]:
    design = spec([GUARD], paired=True)
    worse = {"score": (beta(), beta(MEAN - 0.03))}
    for looks, n in (((), 400), (TEN_LOOKS, 400)):
        out = simulate(design, worse, repeats=repeats, n=n, looks=looks, seed=31)
        told = f"{len(looks) or 1} look{'s' if looks else ''} to {n}"
        yield Row(
            f"non-inferiority, margin −.03, true −.03, {told}",
            "passes ≤ 6.5 %",
            share(out.winners),
            out.winners <= 0.065,
        )
    for paired in (True, False):
        binary = {"score": (bernoulli(0.95), bernoulli(0.92))}
        out = simulate(spec([GUARD], paired=paired), binary, repeats=repeats, n=400, looks=(), seed=32)
        yield Row(
            f"non-inferiority, binary .95 → .92, {_design(paired)}, n = 400",
            "passes ≤ 6.5 %",
            share(out.winners),
            out.winners <= 0.065,
        )
    out = simulate(design, {"score": (beta(), beta())}, repeats=repeats, n=505, looks=(), seed=33)
    yield Row("non-inferiority, margin −.03, true 0, n = 505", "passes ≥ 77 %", share(out.winners), out.winners >= 0.77)


def exact_rows() -> Iterator[Row]:
    for paired in (True, False):
        guard = {"metric": "hallucination_rate", "direction": "no_large_rise", "max_delta": 0.03}
        zero = bernoulli(0.0)
        samples = draw(np.random.default_rng(41), 50, {"hallucination_rate": (zero, zero)}, paired=paired)
        result = evaluate(spec([guard], paired=paired), samples).criteria[0]
        yield Row(
            f"zero events in both arms, {_design(paired)}, n = 50, margin .03",
            "does not pass",
            f"{'passes' if result.passes else 'does not pass'}, high {result.high}",
            not result.passes,
        )
    samples = draw(np.random.default_rng(42), 100, {"score": (beta(), beta(MEAN + 0.09))}, paired=True)
    once, thrice = (evaluate(spec([INCREASE], paired=True), given) for given in (samples, samples * 3))
    yield Row(
        "every example given three times",
        "same n, same verdict",
        f"n {once.n} and {thrice.n}, {once.verdict} and {thrice.verdict}",
        (once.n, once.verdict, once.criteria) == (thrice.n, thrice.verdict, thrice.criteria),
    )


def reference_row() -> Row:
    from benchmarks.references import REFERENCES

    worst = max(abs(computed() - published) for _, computed, published in REFERENCES)
    return Row(
        f"{len(REFERENCES)} looked-up reference values (spec, Newcombe 1998, gbstats, spotify)",
        "equal to 4 decimals",
        f"largest difference {worst:.1e}",
        worst < 5e-5,
    )


def timing_row() -> Row:
    names = [f"score_{place}" for place in range(10)]
    samples = draw(np.random.default_rng(51), 400, dict.fromkeys(names, (beta(), beta())), paired=True)
    criteria: list[dict[str, Any]] = [{"metric": name, "direction": "increase"} for name in names[:5]]
    criteria += [{"metric": name, "direction": "no_large_drop", "max_delta": -0.03} for name in names[5:]]
    design = spec(criteria, paired=True)
    evaluate(design, samples)
    times = []
    for _ in range(30):
        start = time.perf_counter()
        evaluate(design, samples)
        times.append(time.perf_counter() - start)
    milliseconds = 1000 * sorted(times)[len(times) // 2]
    return Row(
        "one evaluation: 10 metrics × 400 pairs × 1 look", "< 10 ms", f"{milliseconds:.1f} ms", milliseconds < 10
    )


def _design(paired: bool) -> str:
    return "paired" if paired else "unpaired"


def run(quick: bool = False, say: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
    """Measures every row, says each as a line of a table as soon as it is done, and returns them all."""
    repeats = 100 if quick else 2000
    rows: list[Row] = []

    def add(row: Row) -> None:
        rows.append(row)
        say(f"| {row.check} | {row.must_be} | {row.measured} | {_HELD[row.ok]} |")

    say("| check | must be | measured | held |\n|---|---|---|---|")
    add(timing_row())
    add(reference_row())
    for part in (exact_rows(), guard_rows(repeats), power_rows(repeats), false_verdicts(repeats)):
        for row in part:
            add(row)
    return {
        "engine_version": ENGINE_VERSION,
        "repeats": repeats,
        "ok": all(row.ok is not False for row in rows),
        "rows": [row.__dict__ for row in rows],
    }


if __name__ == "__main__":
    as_json = "--json" in sys.argv
    report = run(quick="--quick" in sys.argv, say=(lambda _: None) if as_json else lambda line: print(line, flush=True))
    if as_json:
        print(json.dumps(report, ensure_ascii=False))
    sys.exit(0 if report["ok"] else 1)
