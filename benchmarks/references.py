"""Values that the tests are held to, in two kinds that must not be confused.

REFERENCES were looked up: the interval that the project's spec gives, Newcombe (1998) Table II, gbstats' own test, and
what spotify-confidence 4.1.0 said when it was asked (ChiSquared, and StudentsTTest from sums, on the arms below).
KEPT are this engine's own values, rounded, so that they cannot drift unseen; their independent checks are oracles in
tests/teacher/statistics (binomial arithmetic, a numerical restricted likelihood, scipy's multivariate normal).
Entries: (what, how it is computed, the value).
"""

from __future__ import annotations

from collections.abc import Callable

from scipy.special import ndtri

from contracts.evaluation import CriterionResult, Sample
from contracts.experiment_spec import ExperimentSpec
from teacher.statistics import evaluate
from teacher.statistics.clusters import MeanVariance
from teacher.statistics.inference import ConstantDifference
from teacher.statistics.means import StudentT
from teacher.statistics.paired_proportions import mcnemar_mid_p, tango
from teacher.statistics.proportions import miettinen_nurminen, newcombe, score_z, upper_tail
from teacher.statistics.sequential import look_level

Z = 1.959963984540054


def _gbstats() -> StudentT:
    """Welch on the sums that gbstats' own test uses: 1396.87 of 3407 against 2422.7 of 3461."""
    n_b, n_v = 3407, 3461
    mean_b, mean_v = 1396.87 / n_b, 2422.7 / n_v
    var_b = (52377.9767 - n_b * mean_b**2) / (n_b - 1) / n_b
    var_v = (134698.29 - n_v * mean_v**2) / (n_v - 1) / n_v
    df = (var_b + var_v) ** 2 / (var_b**2 / (n_b - 1) + var_v**2 / (n_v - 1))
    return StudentT(mean_v - mean_b, MeanVariance(var_b + var_v, df, 1.0, 0.0), "Welch")


SPOTIFY_BASELINE = (0.2, 0.5, 0.9, 1.0, 0.4, 0.7, 0.3, 0.6, 0.8, 0.1, 0.55, 0.65)
SPOTIFY_VARIANT = (0.6, 0.7, 1.0, 0.95, 0.5, 0.8, 0.45, 0.9, 0.75, 0.35)


def _spotify(direction: str, margin: float | None = None) -> CriterionResult:
    """Our whole engine on the arms that spotify-confidence was asked about."""
    spec = ExperimentSpec.model_validate(
        {
            "experiment_id": "spotify",
            "variants": [{"name": "baseline"}, {"name": "variant"}],
            "assignment": {"mode": "by_example"},
            "success_criteria": [{"metric": "retrieval_precision", "direction": direction, "max_delta": margin}],
        }
    )
    samples = [
        Sample(example_id=f"{name}-{row}", variant=name, metrics={"retrieval_precision": value})
        for name, values in (("baseline", SPOTIFY_BASELINE), ("variant", SPOTIFY_VARIANT))
        for row, value in enumerate(values)
    ]
    return evaluate(spec, samples).criteria[0]


def _boundary(look: int) -> float:
    sizes = [80 * place for place in range(1, look + 1)]
    return -float(ndtri(look_level(0.05, one_sided=False, looks=sizes, horizon=400, expected_n=400) / 2))


Values = tuple[tuple[str, Callable[[], float], float], ...]

REFERENCES: Values = (
    ("Miettinen–Nurminen 56/70 vs 48/80, low", lambda: miettinen_nurminen(56, 70, 48, 80, Z)[0], 0.0528),
    ("Miettinen–Nurminen 56/70 vs 48/80, high", lambda: miettinen_nurminen(56, 70, 48, 80, Z)[1], 0.3382),
    ("Newcombe (1998) method 10, 56/70 vs 48/80, low", lambda: newcombe(56, 70, 48, 80, Z)[0], 0.0524),
    ("Newcombe (1998) method 10, 56/70 vs 48/80, high", lambda: newcombe(56, 70, 48, 80, Z)[1], 0.3339),
    ("Newcombe (1998) method 10, 9/10 vs 3/10, low", lambda: newcombe(9, 10, 3, 10, Z)[0], 0.1705),
    ("Newcombe (1998) method 10, 9/10 vs 3/10, high", lambda: newcombe(9, 10, 3, 10, Z)[1], 0.8090),
    ("gbstats, two-sided t-test of a difference, p", lambda: _gbstats().p_two_sided, 0.0202),
    ("gbstats, its interval, low", lambda: _gbstats().interval(0.025)[0] or 0, 0.0454),
    ("gbstats, its interval, high", lambda: _gbstats().interval(0.025)[1] or 0, 0.5346),
    ("spotify, 56/70 vs 48/80, p", lambda: 2 * upper_tail(abs(score_z(56, 70, 48, 80)), None), 0.0080),
    ("spotify, difference of means, p", lambda: _spotify("increase").p_value or 0, 0.1959),
    ("spotify, difference of means, low", lambda: _spotify("increase").low or 0, -0.0792),
    ("spotify, difference of means, high", lambda: _spotify("increase").high or 0, 0.3625),
    ("spotify, non-inferiority, margin .05, p", lambda: _spotify("no_large_drop", -0.05).p_value or 0, 0.0426),
    ("spotify, non-inferiority, margin .1, p", lambda: _spotify("no_large_drop", -0.1).p_value or 0, 0.0168),
    ("spotify, non-inferiority, its bound", lambda: _spotify("no_large_drop", -0.05).low or 0, -0.0409),
)

KEPT: Values = (
    ("McNemar mid-p, 1 and 7 discordant", lambda: mcnemar_mid_p(1, 7), 0.0391),
    ("Tango, 1 and 7 of 21, low", lambda: tango(1, 7, 21, Z)[0], -0.5172),
    ("Tango, 1 and 7 of 21, high", lambda: tango(1, 7, 21, Z)[1], -0.0260),
    (
        "rule of three, exact: 0 of 50 at .05",
        lambda: ConstantDifference(0.0, 50, 1.0, 1.0).interval(0.05)[1] or 0,
        0.0582,
    ),
    ("spending boundary, five looks, 1", lambda: _boundary(1), 4.8769),
    ("spending boundary, five looks, 2", lambda: _boundary(2), 3.3570),
    ("spending boundary, five looks, 3", lambda: _boundary(3), 2.6803),
    ("spending boundary, five looks, 4", lambda: _boundary(4), 2.2898),
    ("spending boundary, five looks, 5", lambda: _boundary(5), 2.0310),
)
