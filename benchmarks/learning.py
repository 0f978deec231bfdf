"""Do bundled campaigns keep ending with a change applied, one that waits and one refused? Over seeds, from defaults.

Each campaign starts from version 1 with another seed: other train people, other draws of the offline engine. The
figures printed are those of each campaign's own report.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from contracts.actor import Actor, Role, component
from goals.models import Campaign
from maas.client import get_client
from manager.foreground import bundled_ready, campaign_follow
from manager.management.commands.first_run import GOAL
from manager.services.campaigns import CampaignWish, campaign_launch, campaign_plan, goal_understand
from tuner.selectors import active_version
from tuner.services import version_activate

SEEDS, QUICK_SEEDS = 20, 3
_PERSON = Actor(kind="person", name="bench", role=Role.META_USER)


def run(quick: bool = False, say: Callable[[str], None] = print) -> dict[str, Any]:
    """One campaign a seed; returns the rows and in how many campaigns each kind of decision occurred."""
    client = get_client()
    bundled_ready(client=client)
    rows = []
    for seed in range(1, (QUICK_SEEDS if quick else SEEDS) + 1):
        rows.append(_campaign(seed))
        say(_line(rows[-1]))
    kinds = {kind: sum(1 for row in rows if row[kind]) for kind in ("applied", "waiting", "refused")}
    say(f"of {len(rows)} campaigns: " + ", ".join(f"{count} {kind}" for kind, count in kinds.items()))
    _to_defaults()
    return {"rows": rows, "campaigns_with": kinds, "ok": all(count == len(rows) for count in kinds.values())}


def _to_defaults() -> None:
    active = active_version().version
    if active != 1:
        version_activate(version=1, expected_active=active, actor=component("bench"), reason="each seed starts anew")


def _campaign(seed: int) -> dict[str, Any]:
    _to_defaults()
    started = time.perf_counter()
    campaign = campaign_plan(
        translation=goal_understand(GOAL), wish=CampaignWish(dataset="bundled", seed=seed), actor=_PERSON
    )
    campaign_launch(campaign_id=campaign.id, actor=_PERSON, background=False)
    campaign_follow(campaign_id=campaign.id, client=get_client())
    report = Campaign.objects.get(id=campaign.id).report.content
    validation = {row["metric"]: (row["before"], row["after"]) for row in report["validation"]["rows"]}
    golden = {row["metric"]: (row["before"], row["after"]) for row in report["golden"]["rows"]}
    return {
        "seed": seed,
        "seconds": round(time.perf_counter() - started, 1),
        "cycles": report["cycles"],
        "applied": [f"{item['factor']} → {item['to']}" for item in report["applied"]],
        "waiting": [f"{item['proposal']['param']} → {item['proposal']['to']}" for item in report["waiting"]],
        "refused": [f"{item['factor']} → {item['to']} ({item['decision']})" for item in report["refused"]],
        "validation": validation,
        "golden": golden,
    }


def _line(row: dict[str, Any]) -> str:
    recall, hallucination = row["golden"]["retrieval_recall"], row["golden"]["hallucination_rate"]
    return (
        f"seed {row['seed']:>2}: {row['cycles']} cycles, {row['seconds']:.0f} s; golden recall {recall[0]:.3f} → "
        f"{recall[1]:.3f}, hallucination {hallucination[0]:.3f} → {hallucination[1]:.3f}; "
        f"applied {len(row['applied'])}, waiting {len(row['waiting'])}, refused {len(row['refused'])}"
    )
