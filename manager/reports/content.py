"""What a report says, as data: goal, before and after, what was tried, what changed, what waits, what next."""

from __future__ import annotations

from typing import Any

from contracts.goal import Target
from contracts.metric import METRICS
from experiments.models import Experiment
from experiments.selectors import golden_look_number, golden_look_of, golden_looks, result_of
from goals.models import Campaign
from manager.models import Approval, Report
from manager.services.policy import policy_current
from teacher.domain.gaps import Measured, gaps_compute
from teacher.domain.wording import amount, change_of, interval
from tuner.selectors import version_of

SHOWN = ("retrieval_recall", "retrieval_precision", "hallucination_rate", "context_utilization", "token_cost",
         "latency_p95", "error_rate")  # fmt: skip


def report_write(*, campaign: Campaign) -> Report:
    """Make or renew the report of a campaign from what the database holds."""
    return Report.objects.update_or_create(campaign=campaign, defaults={"content": content(campaign)})[0]


def content(campaign: Campaign) -> dict[str, Any]:
    """The report as JSON. Numbers come with their n; differences with their intervals."""
    experiments = [
        experiment_row(item) for item in campaign.experiments.select_related("hypothesis").order_by("created_at")
    ]
    before, after = campaign.metrics_before or {}, campaign.metrics_after or {}
    return {
        "campaign": campaign.number,
        "goal": campaign.goal.text,
        "dataset": campaign.dataset,
        "autonomy": campaign.autonomy,
        "seed": campaign.seed,
        "status": campaign.status,
        "end_reason": campaign.end_reason,
        "cycles": campaign.cycles.count(),
        "max_cycles": campaign.max_cycles,
        "started_at": campaign.started_at.isoformat() if campaign.started_at else None,
        "finished_at": campaign.finished_at.isoformat() if campaign.finished_at else None,
        "start_version": campaign.start_version,
        "end_version": campaign.end_version,
        "targets": targets_of(campaign, before, after),
        "validation": before_after(before, after),
        "golden": before_after(campaign.golden_before or {}, campaign.golden_after or {}),
        "experiments": experiments,
        "applied": [item for item in experiments if item["decision"] == "applied"],
        "refused": [item for item in experiments if item["decision"].startswith("refused")],
        "rolled_back": [item for item in experiments if item["decision"] == "rolled_back"],
        "waiting": [approval_row(item) for item in pending(campaign)],
        "journal": [
            {"cycle": entry.cycle_number, "kind": entry.kind, "text": entry.text, "reason": entry.reason}
            for entry in campaign.journal.all()
        ],
        "golden_looks": {
            "used": golden_looks(dataset=campaign.dataset, campaign_id=campaign.id),
            "allowed": policy_current().golden_looks_per_campaign,
        },
        "tokens": campaign.tokens,
        "cost_usd": float(campaign.cost_usd),
        "next": next_steps(campaign, experiments),
    }


def pending(campaign: Campaign) -> list[Approval]:
    return list(campaign.approvals.filter(status="pending").select_related("experiment").order_by("created_at"))


def targets_of(campaign: Campaign, before: dict[str, Any], after: dict[str, Any]) -> list[dict[str, Any]]:
    """Each target of the goal: where it began, where it is, and what is missing."""
    start, now = Measured.from_json(before), Measured.from_json(after)
    gaps = gaps_compute(
        current=now, start=start, targets=[Target.model_validate(item) for item in campaign.goal.targets]
    )
    return [
        {
            **gap.to_json(),
            "title": METRICS[gap.metric].title,
            "start": start.value(gap.metric, gap.category),
            "met": gap.met,
            "text": f"{amount(gap.metric, start.value(gap.metric, gap.category))} → {amount(gap.metric, gap.current)}, "
            f"target {amount(gap.metric, gap.target)}",
        }
        for gap in gaps
        if gap.of_goal
    ]


def before_after(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """Two measurements beside each other, with their n."""
    rows = []
    for name in SHOWN:
        first, last = before.get("metrics", {}).get(name), after.get("metrics", {}).get(name)
        if first is None and last is None:
            continue
        rows.append(
            {
                "metric": name,
                "title": METRICS[name].title,
                "before": first,
                "after": last,
                "before_text": amount(name, first),
                "after_text": amount(name, last),
                "n": after.get("counts", {}).get(name, after.get("n")),
            }
        )
    return {"n": after.get("n", before.get("n", 0)), "rows": rows}


def experiment_row(experiment: Experiment) -> dict[str, Any]:
    result = result_of(experiment.slug)
    row: dict[str, Any] = {
        "slug": experiment.slug,
        "cycle": experiment.cycle,
        "factor": experiment.factor,
        "from": experiment.from_value,
        "to": experiment.to_value,
        "metric": experiment.metric,
        "status": experiment.status,
        "decision": experiment.decision or ("waiting" if experiment.status == "analyzed" else ""),
        "reason": experiment.decision_reason,
        "hypothesis": experiment.hypothesis.description if experiment.hypothesis else "",
        "verdict": None,
        "told": experiment.decision_reason,
        "needs_approval": experiment.needs_approval,
        "version": version_of(experiment.slug),
    }
    if result is not None:
        row["verdict"] = result.verdict
        row["n"] = result.evaluation["n"]
        row["recommendation"] = result.recommendation
        row["told"] = _told(row, result.recommendation["reason"])
        row["golden"] = result.golden
        look = golden_look_of(experiment.slug)
        row["golden_look"] = golden_look_number(look) if look else None
        row["criteria"] = [
            {
                **item,
                "text": f"{change_of(item['metric'], item['estimate'])} "
                f"{interval(item['metric'], item['low'], item['high'])}".strip(),
            }
            for item in result.evaluation["criteria"]
        ]
    return row


def _told(row: dict[str, Any], finding: str) -> str:
    """What was found and what was decided, without saying the same twice."""
    decision = str(row["reason"])
    if not decision or finding in decision:
        return decision or finding
    return f"{finding}. {decision[0].upper()}{decision[1:]}"


def approval_row(approval: Approval) -> dict[str, Any]:
    return {
        "id": str(approval.id),
        "kind": approval.kind,
        "experiment": approval.experiment.slug,
        "proposal": approval.proposal,
        "reasons": approval.reasons,
        "reason": approval.evidence.get("reason", ""),
        "golden": approval.evidence.get("golden", ""),
    }


def next_steps(campaign: Campaign, experiments: list[dict[str, Any]]) -> list[str]:
    return steps_of(experiments, waiting=campaign.approvals.filter(status="pending").count())


def steps_of(experiments: list[dict[str, Any]], *, waiting: int) -> list[str]:
    """What comes next, by what was found last; decisions of a person first."""
    steps = []
    if waiting:
        steps.append(f"{waiting} {'change waits' if waiting == 1 else 'changes wait'} for your approval or rejection")
    for item in experiments[-3:]:
        for text in (item.get("recommendation") or {}).get("next_steps", [])[:1]:
            steps.append(f"after {item['factor']} {item['from']} → {item['to']}: {text}")
    return list(dict.fromkeys(steps))
