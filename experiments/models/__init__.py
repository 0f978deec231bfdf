"""Datasets with their splits, experiments, evaluation passes and results."""

from experiments.models.datasets import Dataset, EvaluationExample, GoldenExample, GoldenSeal
from experiments.models.ledger import DiscoveryEntry
from experiments.models.passes import EvaluationPass
from experiments.models.registry import Experiment, ExperimentResult
from experiments.models.standing import StandingTest

__all__ = [
    "Dataset",
    "DiscoveryEntry",
    "EvaluationExample",
    "EvaluationPass",
    "Experiment",
    "ExperimentResult",
    "GoldenExample",
    "GoldenSeal",
    "StandingTest",
]
