"""What the report of one cycle says, as data. Made anew whenever it is read, so that later decisions stand in it."""

from __future__ import annotations

from typing import Any

from experiments.selectors import golden_looks
from goals.models import Campaign
from kernel.errors import NotFound
from manager.models import Cycle
from manager.reports.content import approval_row, before_after, experiment_row, pending, steps_of, targets_of
from manager.services.policy import policy_current


def cycle_of(campaign: Campaign, number: int) -> Cycle:
    """Raises `NotFound`."""
    found = campaign.cycles.filter(number=number).first()
    if found is None:
        raise NotFound(f"campaign {campaign.number} has no cycle {number}", details={"cycle": number})
    return found


def cycle_content(campaign: Campaign, cycle: Cycle) -> dict[str, Any]:
    """The same parts as of a campaign. Before: what the cycle before measured, or the campaign's start."""
    before = _before(campaign, cycle)
    validation, golden = cycle.data.get("validation") or {}, cycle.data.get("golden") or {}
    experiments = [
        experiment_row(item)
        for item in campaign.experiments.filter(cycle=cycle.number).select_related("hypothesis").order_by("created_at")
    ]
    waiting = [item for item in pending(campaign) if item.experiment.cycle == cycle.number]
    spent, spent_before = cycle.data.get("spent"), before["spent"]
    known = spent is not None and spent_before is not None
    applied = [item["version"] for item in experiments if item["decision"] == "applied" and item["version"]]
    return {
        "kind": "cycle",
        "campaign": campaign.number,
        "cycle": cycle.number,
        "goal": campaign.goal.text,
        "dataset": campaign.dataset,
        "autonomy": campaign.autonomy,
        "seed": campaign.seed,
        "status": cycle.state.lower() if cycle.finished_at is None else "completed",
        "end_reason": cycle.error or cycle.outcome_text,
        "started_at": cycle.created_at.isoformat(),
        "finished_at": cycle.finished_at.isoformat() if cycle.finished_at else None,
        "start_version": cycle.data.get("version"),
        "end_version": applied[-1] if applied else cycle.data.get("version"),
        "targets": targets_of(campaign, campaign.metrics_before or {}, validation) if validation else [],
        "validation": before_after(before["validation"], validation),
        "golden": before_after(before["golden"], golden),
        "experiments": experiments,
        "applied": [item for item in experiments if item["decision"] == "applied"],
        "refused": [item for item in experiments if item["decision"].startswith("refused")],
        "rolled_back": [item for item in experiments if item["decision"] == "rolled_back"],
        "waiting": [approval_row(item) for item in waiting],
        "journal": [
            {"cycle": entry.cycle_number, "kind": entry.kind, "text": entry.text, "reason": entry.reason}
            for entry in campaign.journal.filter(cycle_number=cycle.number)
        ],
        "golden_looks": {
            "used": golden_looks(dataset=campaign.dataset, campaign_id=campaign.id),
            "allowed": policy_current().golden_looks_per_campaign,
        },
        "tokens": spent["tokens"] - spent_before["tokens"] if known else None,
        "cost_usd": round(spent["usd"] - spent_before["usd"], 6) if known else None,
        "next": steps_of(experiments, waiting=len(waiting)),
    }


def _before(campaign: Campaign, cycle: Cycle) -> dict[str, Any]:
    """What stood before this cycle: measurements, and what the campaign had spent (None: not written down)."""
    last = campaign.cycles.filter(number__lt=cycle.number).order_by("-number").first()
    if last is None:
        return {
            "validation": campaign.metrics_before or {},
            "golden": campaign.golden_before or {},
            "spent": {"tokens": 0, "usd": 0.0},
        }
    return {
        "validation": last.data.get("validation") or {},
        "golden": last.data.get("golden") or {},
        "spent": last.data.get("spent"),
    }
