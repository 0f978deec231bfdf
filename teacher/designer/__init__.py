"""Experiment Designer: from gap, allowed factors, history and starting knowledge to one experiment on one factor.

It proposes candidates; the Manager has them screened on train data; it then chooses what is worth a real experiment.
Screening decides nothing but what to test.
"""

from teacher.designer.candidates import Candidate, StepHistory, candidates_list
from teacher.designer.knowledge import Knowledge
from teacher.designer.plan import (
    Considered,
    DesignRequest,
    NoPlan,
    PlannedExperiment,
    plan_choose,
    plan_explain,
    plan_list,
)
from teacher.designer.screening import Screened, screening_read

__all__ = [
    "Candidate", "Considered", "DesignRequest", "Knowledge", "NoPlan", "PlannedExperiment", "Screened", "StepHistory",
    "candidates_list", "plan_choose", "plan_explain", "plan_list", "screening_read",
]  # fmt: skip
