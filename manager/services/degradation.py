"""Is the active version getting worse? Its own measures over the cycles since, and what live traffic shows of it.

The rules are the Tuner's (`tuner/domain/degradation.py`); here they get their numbers, and a broken one is acted on:
incident, rollback, journal. Runs at every autonomy level and while changes are frozen. Decision 0029 says what counts
as a cycle, as the baseline, and as noise.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from math import sqrt
from typing import Any

from contracts.actor import component
from contracts.change import AppliedChange
from contracts.metric import METRICS
from contracts.recommendation import Recommendation, RollbackCondition
from experiments.models import Experiment, ExperimentResult
from goals.models import Campaign
from incidents.services import incident_open
from kernel.errors import Conflict, RuleViolated
from manager.models import Cycle, UpkeepCycle
from manager.services.judging import judge_distrusted
from manager.services.safety import rollback_protect
from sensor.models import SensorEvent
from teacher.domain.windows import LIVE_WINDOW, LIVE_WINDOWS, LiveRun, live_windows
from tuner.domain.degradation import DegradationInput, DegradationSignal, evaluate
from tuner.models import ParameterActivation, ParameterVersion
from tuner.selectors import active_version

MANAGER = component("manager")
NOISE = 1.645
"""A share of the goal that is worse by less than so many standard errors is not worse: one answer in a few hundred
would already be 10 % of a small share."""
Metrics = Mapping[str, float | None]


def offline_signals(version: ParameterVersion, *, dataset: str) -> list[DegradationSignal]:
    """What is broken on the validation questions of a data set, over the cycles since the version became active.

    A cycle is one that measured validation under it: a campaign's, or a macro cycle of upkeep. The first of them is the
    baseline when no experiment on this very data set led to the version. Metrics of a judge that does not count are
    left out.
    """
    measured = _measured(version, dataset)
    if not measured:
        return []
    accepted = Experiment.objects.filter(slug=version.experiment, dataset=dataset)
    result = ExperimentResult.objects.filter(experiment_id__in=accepted.values("slug")).first()
    left_out = set(judge_distrusted(batch=measured[-1][1])) if measured[-1][1] else set()
    history = [_without(metrics, left_out) for _at, _batch, metrics, _n in measured]
    baseline = result.metrics_variant if result is not None else history[0]
    given = DegradationInput(
        baseline=_without(baseline, left_out),
        history=history,
        goal_metrics=[name for name in _goal_metrics(version) if name not in left_out],
        predecessor=_without(result.metrics_baseline, left_out) if result is not None else {},
        conditions=_conditions(result),
    )
    return [signal for signal in evaluate(given) if not _is_noise(signal, given.baseline, n=measured[-1][3])]


def live_signals(version: ParameterVersion) -> list[DegradationSignal]:
    """What real people's runs show, in windows of `LIVE_WINDOW` runs: errors, latency, hallucination, satisfaction.

    The baseline is the live traffic of the version before; without enough of it only the rules that need none are
    asked. What people should have found nobody knows, so precision and recall are not judged here.
    """
    since = _active_since(version.version)
    if since is None:
        return []
    history = live_windows(_live_runs(version.version, since))
    if not history:
        return []
    before = live_windows(_live_runs(version.parent_version)) if version.parent_version else []
    given = DegradationInput(
        baseline=_mean(before), history=history, goal_metrics=["user_satisfaction"], conditions={},
    )  # fmt: skip
    return evaluate(given)


def degradation_act(
    *, version: ParameterVersion, signals: Sequence[DegradationSignal], where: str, campaign: Campaign | None = None
) -> AppliedChange | None:
    """Roll back because of these signals, with an incident and a journal entry. None: nothing was changed.

    Another change that came in between is left alone: it is watched anew. Where the policy authorises no rollback
    beforehand a critical incident calls a person. With no stable version to go back to a
    critical incident calls a person.
    """
    if not signals:
        return None
    reason = f"{where}: {'; '.join(signal.message for signal in signals)}"
    try:
        return rollback_protect(reason=reason, actor=MANAGER, expected_active=version.version, campaign=campaign)
    except Conflict:
        return None
    except RuleViolated as error:
        incident_open(
            kind="degradation",
            severity="critical",
            title=f"Version {version.version} got worse, and there is no stable version to go back to",
            detail=f"{reason}; {error.message}",
            subject=f"version:{version.version}",
            actor=MANAGER,
        )
        return None


def live_watch() -> str:
    """Look at live traffic of the active version and act. Returns what was found, in words."""
    version = active_version()
    signals = live_signals(version)
    if not signals:
        return f"version {version.version}: nothing is broken on live traffic"
    change = degradation_act(version=version, signals=signals, where="live traffic")
    return f"version {version.version} is worse on live traffic; " + (
        f"version {change.version} is active" if change else "nothing was changed"
    )


def _measured(version: ParameterVersion, dataset: str) -> list[tuple[datetime, str, Metrics, int]]:
    """(when, pass, metrics, n) of each cycle since the activation, oldest first."""
    since = _active_since(version.version)
    if since is None:
        return []
    found: list[tuple[datetime, str, Metrics, int]] = []
    cycles = Cycle.objects.filter(campaign__dataset=dataset, created_at__gte=since).values_list("created_at", "data")
    for at, data in cycles:
        if data.get("version") == version.version and data.get("validation"):
            found.append((at, "", data["validation"]["metrics"], int(data["validation"]["n"])))
    upkeep = UpkeepCycle.objects.filter(
        type="macro", dataset=dataset, version=version.version, created_at__gte=since, findings__has_key="validation"
    ).values_list("created_at", "findings")
    for at, findings in upkeep:
        passed: Mapping[str, Any] = findings["validation"]
        if "metrics" in passed:  # else it had no questions to ask
            found.append((at, str(passed.get("batch", "")), passed["metrics"], int(passed["n"])))
    return sorted(found, key=lambda item: item[0])


def _active_since(version: int) -> datetime | None:
    return ParameterActivation.objects.filter(version=version).order_by("-id").values_list("at", flat=True).first()


def _goal_metrics(version: ParameterVersion) -> list[str]:
    experiment = Experiment.objects.filter(slug=version.experiment).select_related("campaign__goal").first()
    if experiment is None:
        return []
    if experiment.campaign is None:
        return [experiment.metric]
    targets = [str(target.get("metric")) for target in experiment.campaign.goal.targets]
    return list(dict.fromkeys([experiment.metric, *(name for name in targets if name in METRICS)]))


def _conditions(result: ExperimentResult | None) -> dict[str, RollbackCondition]:
    return Recommendation.from_mission_json(result.recommendation).rollback_conditions if result is not None else {}


def _without(metrics: Metrics, left_out: set[str]) -> dict[str, float | None]:
    return {name: value for name, value in metrics.items() if name not in left_out}


def _is_noise(signal: DegradationSignal, baseline: Metrics, *, n: int) -> bool:
    """Whether a share of the goal is worse by no more than two samples of this size differ by chance."""
    base, definition = baseline.get(signal.metric), METRICS.get(signal.metric)
    if signal.rule != "goal_metric_worse" or base is None or definition is None or definition.unit != "share":
        return False
    spread = sqrt(max(base * (1 - base), 0.0) * 2 / max(n, 1))
    return abs(signal.observed - base) <= NOISE * spread


def _live_runs(version: int | None, since: datetime | None = None) -> list[LiveRun]:
    """The newest real runs under a version, oldest first: enough for `LIVE_WINDOWS` windows."""
    rows = SensorEvent.objects.filter(parameter_version=version, client_kind="user", mode="dialogue")
    if since is not None:
        rows = rows.filter(started_at__gte=since)
    newest = rows.order_by("-started_at", "-id")[: LIVE_WINDOW * LIVE_WINDOWS].values_list(
        "status", "latency_ms", "hallucination_detected", "feedback_score"
    )
    return [
        LiveRun(failed=status == "FAILED", latency_ms=float(latency), hallucination=made_up, feedback=score)
        for status, latency, made_up, score in reversed(list(newest))
    ]


def _mean(windows: Iterable[Metrics]) -> dict[str, float | None]:
    known: dict[str, list[float]] = {}
    for window in windows:
        for name, value in window.items():
            if value is not None:
                known.setdefault(name, []).append(value)
    return {name: sum(values) / len(values) for name, values in known.items()}
