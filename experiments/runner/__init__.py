"""Runs examples under arms: validation experiments, golden passes, screening. Decides nothing."""

from experiments.runner.passes import PassPlan, PassProgress, PassStopped, pass_close, pass_run, passes_close

__all__ = ["PassPlan", "PassProgress", "PassStopped", "pass_close", "pass_run", "passes_close"]
