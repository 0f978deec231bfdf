"""Goals and campaigns made the way the system makes them: through the services."""

from __future__ import annotations

from contracts.actor import Actor
from contracts.goal import Autonomy
from contracts.metric import METRICS
from goals.models import Campaign, LearningGoal
from goals.services import campaign_create, goal_create
from goals.translation import translate
from tuner.registry import FACTORS


def make_goal(actor: Actor, text: str = "Raise recall to 60 % without losing precision") -> LearningGoal:
    return goal_create(translation=translate(text, metrics=METRICS, factors=FACTORS), actor=actor)


def make_campaign(actor: Actor, goal: LearningGoal | None = None) -> Campaign:
    return campaign_create(
        goal=goal or make_goal(actor),
        dataset="bundled",
        autonomy=Autonomy.SEMI_AUTO,
        max_cycles=3,
        dialogues_per_cycle=30,
        seed=7,
        actor=actor,
    )
