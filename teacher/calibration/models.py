"""What people said of judged cases. The texts stay with the Sensor; here is only the hash of what was judged."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

ANSWERS = [("yes", "yes"), ("no", "no"), ("unclear", "cannot tell")]


class CalibrationRound(models.Model):
    """One draw of cases judged by one version. `frame`: stratum → how many judged contents it held then."""

    judge_version = models.TextField()
    seed = models.BigIntegerField(help_text="The same seed draws the same cases from the same judged runs.")
    frame = models.JSONField()
    size = models.PositiveIntegerField()
    drawn_by = models.TextField()
    drawn_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "teacher_calibration_rounds"
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.size} cases judged by {self.judge_version}"


class CalibrationCase(models.Model):
    """One drawn case. `stratum`: its marks (see `drawing.stratum_of`), never shown before the label."""

    round = models.ForeignKey(CalibrationRound, on_delete=models.CASCADE, related_name="cases")
    position = models.PositiveIntegerField(help_text="The order in which everybody is offered the cases, from 1.")
    run_id = models.UUIDField()
    content_hash = models.CharField(max_length=64, help_text="of question, context, answer and known truth")
    stratum = models.CharField(max_length=6)
    category = models.TextField()
    language = models.TextField()

    class Meta:
        db_table = "teacher_calibration_cases"
        ordering = ["round_id", "position"]
        constraints = [
            models.UniqueConstraint(fields=["round", "position"], name="one_calibration_case_per_place"),
            models.UniqueConstraint(fields=["round", "content_hash"], name="one_calibration_case_per_content"),
        ]
        indexes = [models.Index(fields=["content_hash"], name="calibration_cases_by_content")]

    def __str__(self) -> str:
        return f"case {self.position} of round {self.round_id}"


class CaseLabel(models.Model):
    """What one person says of one content. Never edited: a revision or withdrawal ends it (`ended_at`), and a revision
    is a row of its own. An empty answer: not asked, since nothing was found."""

    content_hash = models.CharField(max_length=64)
    run_id = models.UUIDField()
    labeller = models.TextField(help_text="e.g. person:anna")
    hallucination = models.CharField(max_length=7, choices=ANSWERS)
    context = models.CharField(max_length=7, choices=ANSWERS, blank=True)
    relevance = models.CharField(max_length=7, choices=ANSWERS, blank=True)
    seconds = models.FloatField(help_text="from seeing the case to its label")
    labelled_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True, blank=True, help_text="NULL: it stands")

    class Meta:
        db_table = "teacher_case_labels"
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["content_hash", "labeller"],
                condition=models.Q(ended_at__isnull=True),
                name="one_standing_label_per_person_and_case",
            ),
            models.CheckConstraint(
                condition=models.Q(hallucination__in=["yes", "no", "unclear"])
                & models.Q(context__in=["", "yes", "no", "unclear"])
                & models.Q(relevance__in=["", "yes", "no", "unclear"]),
                name="label_answers_are_known",
            ),
            models.CheckConstraint(condition=models.Q(seconds__gte=0), name="labelling_takes_no_negative_time"),
        ]
        indexes = [models.Index(fields=["labeller", "-id"], name="case_labels_by_labeller")]

    def __str__(self) -> str:
        return f"{self.labeller} on {self.content_hash[:12]}"
