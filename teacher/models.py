"""What the Teacher keeps of its own: which judge judged a batch and at what price, and answers that were paid for."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from teacher.calibration.models import CalibrationCase as CalibrationCase
from teacher.calibration.models import CalibrationRound as CalibrationRound
from teacher.calibration.models import CaseLabel as CaseLabel


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
