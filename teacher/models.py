"""What the Teacher keeps of its own: which judge judged a batch and at what price, and answers that were paid for."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from teacher.calibration.models import CalibrationCase, CalibrationRound, CaseLabel

__all__ = ["BatchJudging", "CalibrationCase", "CalibrationRound", "CaseLabel", "JudgeAnswer", "StepObservation"]


class BatchJudging(models.Model):
    """What one judge version did with a batch. `in_force`: the marks of this version are the ones that count for it.

    Counts add up over calls: a batch that was judged in parts is one row. A row without counts says which judge was
    chosen before the batch was run.
    """

    batch = models.TextField()
    judge_version = models.TextField()
    repeat = models.SmallIntegerField(default=0, help_text="0 counts; others measure the judge's own steadiness")
    in_force = models.BooleanField(default=False)
    sampled = models.BooleanField(default=False, help_text="only a sample is judged, both arms of an example together")
    runs = models.PositiveIntegerField(default=0, help_text="runs of the batch that have an answer")
    chosen = models.PositiveIntegerField(default=0, help_text="of them, runs of the sample")
    judged = models.PositiveIntegerField(default=0, help_text="runs that got marks")
    missing = models.PositiveIntegerField(default=0, help_text="runs whose judgement failed: neither passed nor not")
    calls = models.PositiveIntegerField(default=0, help_text="questions that a model was asked")
    cached = models.PositiveIntegerField(default=0, help_text="questions that had been answered before")
    cost_usd = models.DecimalField(max_digits=14, decimal_places=8, default=0)
    stopped = models.TextField(blank=True, help_text="why not all of the sample was judged; empty when it was")
    bound_at = models.DateTimeField(db_default=Now())
    judged_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "teacher_batch_judgings"
        constraints = [
            models.UniqueConstraint(
                fields=["batch", "judge_version", "repeat"], name="one_judging_per_batch_version_and_repeat"
            ),
            models.UniqueConstraint(
                fields=["batch"], condition=models.Q(in_force=True), name="one_judge_in_force_per_batch"
            ),
            models.CheckConstraint(
                condition=models.Q(repeat=0) | models.Q(in_force=False), name="repeats_are_never_in_force"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.judge_version} on {self.batch}"


class JudgeAnswer(models.Model):
    """One question to a judge's model and its valid answer, so that the same is not paid for twice."""

    content_hash = models.CharField(max_length=64, help_text="of what the model was shown of the case")
    prompt_hash = models.CharField(max_length=64, help_text="of the prompt, the form of the answer and the code")
    model = models.TextField()
    repeat = models.SmallIntegerField(default=0)
    answer = models.JSONField()
    cost_usd = models.DecimalField(max_digits=14, decimal_places=8)
    answered_at = models.DateTimeField(db_default=Now())
    used_at = models.DateTimeField(db_default=Now(), help_text="when it was last needed; what nobody needs is deleted")

    class Meta:
        db_table = "teacher_judge_answers"
        constraints = [
            models.UniqueConstraint(
                fields=["content_hash", "prompt_hash", "model", "repeat"], name="one_judge_answer_per_question"
            )
        ]
        indexes = [models.Index(fields=["used_at"], name="judge_answers_by_use")]

    def __str__(self) -> str:
        return f"{self.model}: {self.content_hash[:12]}"


class StepObservation(models.Model):
    """What one step did to one metric on one occasion (a screening or an experiment): what knowledge is refined by.

    `gain`: improvement, in points where the metric is a share, as a share of its value for cost and mean latency.
    """

    source = models.CharField(max_length=10, choices=[("screening", "screening"), ("experiment", "experiment")])
    reference = models.TextField(help_text="the experiment's slug, or the name of the screening")
    metric = models.TextField()
    factor = models.TextField()
    move = models.TextField(help_text="up, down, or the value that it goes to")
    from_value = models.JSONField()
    to_value = models.JSONField()
    gain = models.FloatField()
    error = models.FloatField(help_text="standard error of the gain, by clusters where questions share them")
    n = models.PositiveIntegerField(help_text="pairs of answers")
    dataset = models.TextField()
    base_version = models.PositiveIntegerField()
    observed_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "teacher_step_observations"
        constraints = [
            models.UniqueConstraint(
                fields=["reference", "metric", "factor", "to_value"], name="one_observation_per_occasion_and_metric"
            ),
            models.CheckConstraint(condition=models.Q(error__gte=0), name="observation_error_is_not_negative"),
            models.CheckConstraint(
                condition=models.Q(source__in=["screening", "experiment"]), name="observation_source_is_known"
            ),
        ]
        indexes = [models.Index(fields=["factor", "metric", "move"], name="observations_by_step")]

    def __str__(self) -> str:
        return f"{self.reference}: {self.factor} {self.move}, {self.metric} {self.gain:+.3f}"
