# ruff: noqa: DJ001
"""What the Sensor keeps. NULL is absence everywhere: nobody's empty string or zero is taken for a fact.

`sensor_events` and `telemetry_events` are partitioned by month of the real clock (migration 0002 makes them, and
`sensor_ensure_partitions` makes further months); `sensor_ledger` is not, and is what holds "exactly once".
Ids point to the student's database without foreign keys, so this history outlives it.
"""

from __future__ import annotations

import uuid

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class SensorEvent(models.Model):
    """One settled run of MaaS, with all that the Teacher needs to know of it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    pipeline_run_id = models.UUIDField()
    user_id = models.UUIDField()
    client_kind = models.TextField()
    mode = models.TextField()
    experiment = models.TextField(null=True, help_text="slug; NULL in production")
    variant = models.TextField(null=True)
    cycle_type = models.TextField()
    thread_id = models.UUIDField(null=True)
    seed = models.BigIntegerField(null=True)

    query = models.TextField()
    keywords = ArrayField(models.TextField(), default=list)
    context = models.TextField(null=True)
    context_tokens = models.IntegerField(null=True)
    answer = models.TextField(null=True)
    found_ids = ArrayField(models.UUIDField(), default=list, help_text="best first")
    found_scores = ArrayField(models.FloatField(null=True), default=list, help_text="of found_ids, in their order")
    used_ids = ArrayField(models.UUIDField(), null=True, help_text="memories that entered the context")
    memory_id = models.UUIDField(null=True, help_text="the memory that this run left")

    batch = models.TextField(null=True, help_text="ground truth from here on; NULL until it arrives")
    dataset = models.TextField(null=True)
    split = models.TextField(null=True)
    example_id = models.TextField(null=True)
    cluster = models.TextField(null=True)
    category = models.TextField(null=True)
    difficulty = models.TextField(null=True)
    should_retrieve = models.BooleanField(null=True)
    expected_ids = ArrayField(models.UUIDField(), null=True)
    key_facts = ArrayField(models.TextField(), null=True)
    forbidden = ArrayField(models.TextField(), null=True)

    parameter_version = models.IntegerField(null=True)
    model = models.TextField(null=True)
    status = models.TextField()
    error_type = models.TextField(null=True)
    error_message = models.TextField(null=True)
    retry_count = models.IntegerField(default=0)
    asked_at = models.DateTimeField(help_text="in the user's own time, which may be simulated")
    started_at = models.DateTimeField(help_text="real clock; the month decides the partition")
    ended_at = models.DateTimeField()
    latency_ms = models.DecimalField(max_digits=14, decimal_places=3)
    prompt_tokens = models.IntegerField(null=True)
    completion_tokens = models.IntegerField(null=True)
    total_cost_usd = models.DecimalField(max_digits=14, decimal_places=8, null=True)

    memories_found = models.IntegerField()
    memories_used = models.IntegerField(null=True)
    avg_memory_age_days = models.FloatField(null=True)
    tag_overlap_score = models.FloatField(null=True)
    isolation_ok = models.BooleanField(null=True, help_text="NULL: a memory is gone, its owner cannot be told")

    judge_version = models.TextField(null=True)
    retrieval_relevant = models.BooleanField(null=True)
    context_utilized = models.BooleanField(null=True)
    hallucination_detected = models.BooleanField(null=True)
    judge_reasons = ArrayField(models.TextField(), null=True)
    feedback_score = models.SmallIntegerField(null=True, help_text="1 to 5; the person's latest word")
    feedback_at = models.DateTimeField(null=True)
    consent = models.BooleanField(default=False, db_default=False, help_text="may be learnt from, until withdrawn")

    captured_at = models.DateTimeField()

    class Meta:
        db_table = "sensor_events"
        indexes = [
            models.Index(fields=["pipeline_run_id"], name="events_by_run"),
            models.Index(fields=["batch", "variant"], name="events_by_batch_and_variant"),
            models.Index(fields=["experiment", "variant", "split"], name="events_by_experiment"),
            models.Index(fields=["captured_at"], name="events_by_capture"),
            models.Index(fields=["parameter_version"], name="events_by_version"),
            models.Index(fields=["started_at"], condition=models.Q(consent=True), name="events_with_consent"),
            models.Index(fields=["user_id"], condition=models.Q(client_kind="user"), name="events_of_real_users"),
        ]

    def __str__(self) -> str:
        return f"{self.status} {self.query[:60]}"


class TelemetryEvent(models.Model):
    """One stage of one run; columns, constraint and index names are the mission's.

    Beyond the mission: `experiment` (the slug whose derived uuid is `experiment_id`), `parameter_version`, and
    parts of a millisecond in `latency_ms`, since offline stages take less than one.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    pipeline_id = models.UUIDField(null=True)
    experiment_id = models.UUIDField(null=True)
    experiment = models.TextField(null=True)
    variant = models.CharField(max_length=50, null=True)
    cycle_type = models.CharField(max_length=20, null=True)
    created_at = models.DateTimeField(db_default=Now(), help_text="when the run settled, by the real clock")
    stage = models.CharField(max_length=50, null=True)
    latency_ms = models.DecimalField(max_digits=14, decimal_places=3, null=True)
    memories_found = models.IntegerField(null=True)
    memories_used = models.IntegerField(null=True)
    hit_rate = models.BooleanField(null=True, help_text="an expected memory was found; NULL without expectations")
    avg_memory_age_days = models.FloatField(null=True)
    tag_overlap_score = models.FloatField(null=True)
    prompt_tokens = models.IntegerField(null=True)
    completion_tokens = models.IntegerField(null=True)
    total_cost_usd = models.DecimalField(max_digits=14, decimal_places=8, null=True)
    retrieval_relevant = models.BooleanField(null=True)
    context_utilized = models.BooleanField(null=True)
    hallucination_detected = models.BooleanField(null=True)
    retry_count = models.IntegerField(default=0, db_default=0)
    error_type = models.CharField(max_length=100, null=True)
    user_id = models.UUIDField(null=True)
    isolation_ok = models.BooleanField(null=True, default=True, db_default=True)
    parameter_version = models.IntegerField(null=True)

    class Meta:
        db_table = "telemetry_events"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(cycle_type__in=["micro", "macro", "deep", "online"]), name="valid_cycle"
            )
        ]
        indexes = [
            models.Index(fields=["experiment_id", "variant"], name="idx_telemetry_experiment"),
            models.Index(fields=["cycle_type", "created_at"], name="idx_telemetry_cycle"),
            models.Index(fields=["pipeline_id"], name="idx_telemetry_pipeline"),
            models.Index(fields=["created_at"], name="idx_telemetry_created"),
        ]

    def __str__(self) -> str:
        return f"{self.stage} of {self.pipeline_id}"


class LedgerEntry(models.Model):
    """That a run's row (stage `run`) or a stage's row exists. Whoever inserts it writes the row, in one transaction.

    `occurred_at` is the row's partition key, so that later facts find it without searching all months.
    """

    pk = models.CompositePrimaryKey("run_id", "stage")
    run_id = models.UUIDField()
    stage = models.TextField()
    occurred_at = models.DateTimeField()

    class Meta:
        db_table = "sensor_ledger"

    def __str__(self) -> str:
        return f"{self.stage} of {self.run_id}"


class ExternalEvent(models.Model):
    """That an event of a MaaS that runs elsewhere was taken. Inserted in the transaction that writes its run."""

    event_id = models.UUIDField(primary_key=True)
    run_id = models.UUIDField()
    source = models.TextField(help_text="who sent it")
    received_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "sensor_external_events"
        indexes = [models.Index(fields=["run_id"], name="external_events_by_run")]

    def __str__(self) -> str:
        return f"{self.event_id} by {self.source}"


class CaptureCursor(models.Model):
    """Up to which moment everything is recorded, per source; it only moves forward.

    `pipeline_runs` counts by `finished_at`; `pipeline_runs.late` counts by `updated_at` of runs changed after it.
    """

    name = models.TextField(primary_key=True)
    position = models.DateTimeField(null=True, help_text="NULL: nothing read yet")
    moved_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "sensor_cursor"

    def __str__(self) -> str:
        return f"{self.name} at {self.position}"


class RunTruth(models.Model):
    """A `GroundTruth` message. `applied_at` NULL: not on the run's row yet."""

    run_id = models.UUIDField(primary_key=True)
    example_id = models.TextField()
    batch = models.TextField()
    dataset = models.TextField()
    split = models.TextField()
    cluster = models.TextField()
    should_retrieve = models.BooleanField()
    expected_ids = ArrayField(models.UUIDField(), default=list)
    key_facts = ArrayField(models.TextField(), default=list)
    forbidden = ArrayField(models.TextField(), default=list)
    category = models.TextField()
    difficulty = models.TextField()
    asked_at = models.DateTimeField(null=True)
    recorded_at = models.DateTimeField(db_default=Now())
    applied_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "sensor_ground_truths"
        indexes = [models.Index(fields=["run_id"], condition=models.Q(applied_at__isnull=True), name="truths_to_apply")]

    def __str__(self) -> str:
        return f"{self.example_id} in {self.batch}"


class RunJudgement(models.Model):
    """What one judge version said of a run. Nothing is overwritten; repeats measure the judge's own steadiness."""

    run_id = models.UUIDField()
    judge_version = models.TextField()
    repeat = models.SmallIntegerField(default=0, help_text="0 counts; others are history only")
    retrieval_relevant = models.BooleanField(null=True)
    context_utilized = models.BooleanField(null=True)
    hallucination_detected = models.BooleanField(null=True)
    reasons = ArrayField(models.TextField(), default=list)
    recorded_at = models.DateTimeField(db_default=Now())
    applied_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "sensor_judgements"
        constraints = [
            models.UniqueConstraint(
                fields=["run_id", "judge_version", "repeat"], name="one_judgement_per_run_version_and_repeat"
            )
        ]
        indexes = [
            models.Index(fields=["run_id"], condition=models.Q(applied_at__isnull=True), name="judgements_to_apply")
        ]

    def __str__(self) -> str:
        return f"{self.judge_version} on {self.run_id}"


class RolledUp(models.Model):
    """Known values of one metric in one bucket of time: how many, their sum and, for times, their histogram."""

    bucket = models.DateTimeField(help_text="its beginning, UTC")
    metric = models.TextField()
    stage = models.TextField(null=True, help_text="NULL: of the run as a whole")
    client_kind = models.TextField(null=True)
    cycle_type = models.TextField(null=True)
    split = models.TextField(null=True)
    experiment = models.TextField(null=True)
    variant = models.TextField(null=True)
    category = models.TextField(null=True)
    parameter_version = models.IntegerField(null=True)
    n = models.BigIntegerField(help_text="how many values are known")
    total = models.DecimalField(max_digits=60, decimal_places=20, help_text="their sum")
    histogram = ArrayField(
        ArrayField(models.BigIntegerField()),
        null=True,
        help_text="bins and how many values each holds; NULL where percentiles are not asked for",
    )

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.metric} at {self.bucket}"


class Rollup(RolledUp):
    """What is folded. Written by `sensor_rollups_fold` alone (migration 0004).

    Grains shorter than an hour keep no experiment, and of stages no more than the stage.
    """

    grain = models.TextField(choices=[("minute", "minute"), ("five", "five minutes"), ("hour", "hour"), ("day", "day")])

    class Meta:
        db_table = "sensor_rollups"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(grain__in=["minute", "five", "hour", "day"]), name="rollup_grain_known"
            ),
            models.UniqueConstraint(
                fields=["grain", "metric", "bucket", "stage", "client_kind", "cycle_type", "split", "experiment",
                        "variant", "category", "parameter_version"],
                name="one_rollup_per_bucket_and_dimensions",
                nulls_distinct=False,
            ),
        ]  # fmt: skip
        indexes = [models.Index(fields=["n"], condition=models.Q(n=0), name="rollups_without_values")]


class RollupDelta(RolledUp):
    """What a statement changed, signed, until it is folded. Written by triggers alone; `bucket` is a minute."""

    class Meta:
        db_table = "sensor_rollup_deltas"


class RetentionPolicy(models.Model):
    """How long recorded rows are kept. One row; each edit is audited. Rollups are kept whatever it says."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    production_months = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(2)],
        help_text="Full months, beside the current one, for which recorded runs and their stages are kept. Blank: for "
        "ever. At least 2. What the rollups have added up stays on the dashboard.",
    )
    evidence_months = models.PositiveSmallIntegerField(
        "months of experiments and batches",
        null=True,
        blank=True,
        validators=[MinValueValidator(2)],
        help_text="The same for runs of experiments, campaigns and other batches, on which decisions rest. Blank: for "
        "ever, so that every decision stays explainable. Not fewer than for all other runs.",
    )
    automatic = models.BooleanField(
        "apply automatically",
        default=False,
        help_text="The Sensor removes older rows by itself, every hour. Else only `manage.py sense --retention --apply`"
        " does; `manage.py sense --retention` shows beforehand what would go.",
    )
    recorded_from = models.DateTimeField(
        null=True,
        editable=False,
        help_text="Runs that started before are never recorded again, since retention has removed that time.",
    )
    completed_at = models.DateTimeField(
        null=True, editable=False, help_text="When a retention last took away all that had to go."
    )
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "sensor_retention"
        verbose_name = "retention"
        verbose_name_plural = "retention"
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="there_is_one_retention"),
            models.CheckConstraint(
                condition=models.Q(production_months__gte=2) & models.Q(evidence_months__gte=2),
                name="retention_keeps_two_months",
            ),
            models.CheckConstraint(
                condition=models.Q(evidence_months__isnull=True)
                | models.Q(production_months__isnull=False, evidence_months__gte=models.F("production_months")),
                name="evidence_is_kept_as_long_as_the_rest",
            ),
        ]

    def __str__(self) -> str:
        return "retention"

    def clean(self) -> None:
        """Says in words what the constraint holds."""
        rest, evidence = self.production_months, self.evidence_months
        if evidence is not None and (rest is None or evidence < rest):
            raise ValidationError(
                {"evidence_months": _("Runs of experiments are kept as long as all others, or longer.")}
            )
