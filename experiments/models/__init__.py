"""Datasets with their splits, experiments, evaluation passes and results."""

from experiments.models.datasets import Dataset, EvaluationExample, GoldenExample, GoldenSeal
from experiments.models.passes import EvaluationPass
from experiments.models.registry import Experiment, ExperimentResult

__all__ = [
    "Dataset",
    "EvaluationExample",
    "EvaluationPass",
    "Experiment",
    "ExperimentResult",
    "GoldenExample",
    "GoldenSeal",
]
