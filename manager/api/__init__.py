"""The Manager's routes: goals, campaigns, cycles, approvals, emulations, judges, policy, rollback, metrics, reports."""

from manager.api.approvals import router as approvals
from manager.api.emulations import router as emulations
from manager.api.experiments import router as experiments
from manager.api.goals import router as goals
from manager.api.judges import router as judges
from manager.api.measures import router as measures
from manager.api.policy import router as policy
from manager.api.prunings import router as prunings
from manager.api.safety import router as safety
from manager.api.upkeep import router as overview

routers = (goals, approvals, overview, emulations, judges, measures, experiments, policy, prunings, safety)
