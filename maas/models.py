"""The student's tables. Names and first columns are those of the mission.

**For readers outside (the Sensor).** `pipeline_runs` is documented and stays: a run is *settled* when `finished_at` is
not null. Nothing of it changes afterwards except `found_right_at`, which no reader outside needs, and `feedback_score`,
`feedback_at` and `consent`, and with these `updated_at`, which is then later than `finished_at`. `finished_at` is
written with FAILED, with COMPLETED of an evaluation run, and for a dialogue run when the Archivist is done (then
`memory_id` names the memory that the run left, or stays null for small talk). Read settled runs by `(finished_at, id)`,
and those changed later by `(updated_at, id)`; both are indexed. The role is `maas_service`. `latency_ms` is the time
from `created_at` to the answer, without archiving. The channel `pipeline_events` carries `{id, status, operation}` with
operation INSERT, UPDATE (status changed) or SETTLED (`finished_at` was written after the answer).

`retrieval` is `{"strategy", "query_terms", "found": [...], "considered": n, "candidates": [...]}`; each candidate has
`memory_id, raw, relevance, recency, score, rank, cut` with `cut` null when it was returned and else `min_score` or
`top_k`, and where they apply `is_named`, `is_dated` and `from_neighbours` (what of `raw` they gave); `found` is the
list of returned memory ids, best first. `stage_timings` is `{stage: milliseconds}`.
"""

from __future__ import annotations

import uuid

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models.functions import Now
from pgvector.django import VectorField

from maas.domain.lifecycle import FINAL, WORKING, RunStatus


class SearchableText(models.Func):
    """The words of (speaker, text): who said something is part of what is remembered, marked with weight A.

    The `russian` configuration stems Cyrillic words as Russian and Latin words as English, so it serves both.
    """

    template = "setweight(to_tsvector('pg_catalog.russian'::regconfig, coalesce(%(expressions)s)"
    arg_joiner = ", '')), 'A') || to_tsvector('pg_catalog.russian'::regconfig, "
    output_field = SearchVectorField()


class PipelineRun(models.Model):
    """One query of one user on its way to an answer."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    user_id = models.UUIDField()
    user_query = models.TextField()
    status = models.TextField(choices=[(s.value, s.value) for s in RunStatus], default=RunStatus.NEW)
    analysis_result = models.JSONField(null=True)
    final_context_payload = models.TextField(null=True)  # noqa: DJ001 null: not assembled yet; empty: nothing found
    final_answer = models.TextField(null=True)  # noqa: DJ001 null: no answer yet
    error_message = models.TextField(null=True)  # noqa: DJ001 null: no error so far
    error_type = models.TextField(null=True)  # noqa: DJ001 null: no error so far
    retry_count = models.IntegerField(default=0, db_default=0)
    stage_tries = models.JSONField(default=dict, db_default=models.Value({}, models.JSONField()))
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    thread_id = models.UUIDField(null=True)
    client_kind = models.TextField(default="user", db_default="user")
    mode = models.TextField(default="dialogue", db_default="dialogue")
    simulated_at = models.DateTimeField(null=True)
    experiment = models.TextField(null=True)  # noqa: DJ001 null: production
    variant = models.TextField(null=True)  # noqa: DJ001 null: production
    pinned_version = models.IntegerField(null=True)
    cycle_type = models.TextField(default="online", db_default="online")
    seed = models.BigIntegerField(null=True)
    consent = models.BooleanField(default=False, db_default=False)

    parameter_version = models.IntegerField(null=True)
    keywords = models.JSONField(null=True)
    retrieval = models.JSONField(null=True)
    context_tokens = models.IntegerField(null=True)
    used_memory_ids = ArrayField(models.UUIDField(), null=True)
    memory_id = models.UUIDField(null=True)
    stage_timings = models.JSONField(default=dict, db_default=models.Value({}, models.JSONField()))
    prompt_tokens = models.IntegerField(default=0, db_default=0)
    completion_tokens = models.IntegerField(default=0, db_default=0)
    cost_usd = models.FloatField(default=0.0, db_default=0.0)
    model = models.TextField(null=True)  # noqa: DJ001 null: no model asked yet
    latency_ms = models.FloatField(null=True)

    claimed_by = models.TextField(null=True)  # noqa: DJ001 null: nobody works on it
    lease_until = models.DateTimeField(null=True)
    needs_archive = models.BooleanField(default=False, db_default=False)
    answered_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    feedback_score = models.SmallIntegerField(null=True)
    feedback_at = models.DateTimeField(null=True)
    found_right_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "pipeline_runs"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status__in=[s.value for s in RunStatus]), name="run_status_is_known"
            ),
            models.CheckConstraint(condition=models.Q(mode__in=["dialogue", "evaluation"]), name="run_mode_is_known"),
            models.CheckConstraint(
                condition=~models.Q(status=RunStatus.COMPLETED) | models.Q(final_answer__isnull=False),
                name="completed_run_has_an_answer",
            ),
            models.CheckConstraint(
                condition=~models.Q(status=RunStatus.FAILED) | models.Q(error_message__isnull=False),
                name="failed_run_has_a_reason",
            ),
            models.CheckConstraint(
                condition=models.Q(feedback_score__isnull=True) | models.Q(feedback_score__range=(1, 5)),
                name="feedback_is_one_to_five",
            ),
            models.UniqueConstraint(fields=["id", "user_id"], name="run_belongs_to_one_user"),
            models.UniqueConstraint(
                fields=["user_id"],
                condition=models.Q(mode="dialogue")
                & (models.Q(status__in=[s.value for s in WORKING]) | models.Q(needs_archive=True)),
                name="one_working_dialogue_run_per_user",
            ),
        ]
        indexes = [
            models.Index(
                fields=["user_id", "created_at"],
                condition=~models.Q(status__in=[s.value for s in FINAL]) | models.Q(needs_archive=True),
                name="runs_open_by_user",
            ),
            models.Index(
                fields=["created_at", "id"],
                condition=~models.Q(status__in=[s.value for s in FINAL]) | models.Q(needs_archive=True),
                name="runs_open_by_age",
            ),
            models.Index(
                fields=["-created_at"], condition=models.Q(client_kind="user", mode="dialogue"), name="runs_of_people"
            ),
            models.Index(fields=["finished_at", "id"], name="runs_by_finish"),
            models.Index(fields=["user_id", "created_at"], name="runs_by_user"),
            models.Index(
                fields=["thread_id", "answered_at"], condition=models.Q(thread_id__isnull=False), name="runs_by_thread"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.status} {self.user_query[:60]}"


class LogType(models.TextChoices):
    USER_QUERY = "USER_QUERY"
    SYSTEM_RESPONSE = "SYSTEM_RESPONSE"
    ERROR = "ERROR"
    FEEDBACK = "FEEDBACK"


class RawLog(models.Model):
    """What was said and what went wrong. `processed`: the Archivist has dealt with it, once."""

    pipeline_run = models.ForeignKey(
        PipelineRun, on_delete=models.CASCADE, db_constraint=False, related_name="raw_logs"
    )  # the database holds the pair (run, user) instead: see the migration of row-level security
    user_id = models.UUIDField()
    log_type = models.TextField(choices=LogType.choices)
    log_data = models.JSONField()
    processed = models.BooleanField(default=False, db_default=False)
    processed_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "raw_logs"
        constraints = [
            models.CheckConstraint(condition=models.Q(log_type__in=LogType.values), name="raw_log_type_is_known"),
            models.UniqueConstraint(
                fields=["pipeline_run", "log_type"],
                condition=models.Q(log_type__in=["USER_QUERY", "SYSTEM_RESPONSE"]),
                name="one_query_and_one_response_per_run",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.log_type} of {self.pipeline_run_id}"


class Memory(models.Model):
    """One memory of one user. `simulated_at`: when it was remembered, in the time that the user lives in.

    `set_aside_at`: hidden from everything that is done in the user's name, by the row's policy, until it is brought
    back; `set_aside_for` names the decision: `prune:{proposal}` or `merge:{merge}`.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    user_id = models.UUIDField()
    time_bucket = models.TextField()
    semantic_tags = ArrayField(models.TextField(), default=list)
    summary_text = models.TextField()
    source_run_ids = ArrayField(models.UUIDField(), default=list)
    embedding = VectorField(null=True)  # of any length: comparable only with vectors of the same `embedding_model`
    embedding_model = models.TextField(null=True)  # noqa: DJ001 null: not embedded
    metadata = models.JSONField(default=dict, db_default=models.Value({}, models.JSONField()))
    created_at = models.DateTimeField(db_default=Now())
    simulated_at = models.DateTimeField()
    speaker = models.TextField(null=True)  # noqa: DJ001 null: not said by a named person
    language = models.TextField()
    tsv = models.GeneratedField(
        expression=SearchableText(models.F("speaker"), models.F("summary_text")),
        output_field=SearchVectorField(),
        db_persist=True,
    )
    times_retrieved = models.IntegerField(default=0, db_default=0)
    times_used = models.IntegerField(default=0, db_default=0)
    times_helpful = models.IntegerField(default=0, db_default=0)
    set_aside_at = models.DateTimeField(null=True)
    set_aside_for = models.TextField(null=True)  # noqa: DJ001 null: it is not set aside

    class Meta:
        db_table = "lsm_storage"
        verbose_name_plural = "memories"
        constraints = [
            models.UniqueConstraint(fields=["id", "user_id"], name="memory_belongs_to_one_user"),
            models.CheckConstraint(
                condition=models.Q(embedding__isnull=True, embedding_model__isnull=True)
                | models.Q(embedding__isnull=False, embedding_model__isnull=False),
                name="embedding_names_its_model",
            ),
            models.CheckConstraint(
                condition=models.Q(set_aside_at__isnull=True, set_aside_for__isnull=True)
                | models.Q(set_aside_at__isnull=False, set_aside_for__isnull=False),
                name="what_is_set_aside_says_for_what",
            ),
        ]
        indexes = [
            models.Index(
                fields=["set_aside_for"], condition=models.Q(set_aside_at__isnull=False), name="memories_set_aside"
            ),
            models.Index(fields=["user_id", "simulated_at"], name="memories_by_user_and_time"),
            GinIndex(fields=["semantic_tags"], name="memories_by_tag"),
        ]

    def __str__(self) -> str:
        return self.summary_text[:80]


class MemoryReview(models.Model):
    """What is to be said of one memory by its use (`maas.domain.reviewing`): since when its score is low, why it is put
    up for review, and whether a person has said to keep it. Only the service role sees it."""

    memory = models.OneToOneField(
        Memory, on_delete=models.CASCADE, db_constraint=False, primary_key=True, related_name="review"
    )  # the database holds the pair (memory, user) instead, and deletes the review with its memory
    user_id = models.UUIDField()
    score = models.FloatField(null=True)
    low_since = models.DateTimeField(null=True)
    reasons = models.JSONField(default=list, db_default=models.Value([], models.JSONField()))
    flagged_at = models.DateTimeField(null=True)
    kept_at = models.DateTimeField(null=True)
    kept_by = models.TextField(default="", db_default="", blank=True)

    class Meta:
        db_table = "memory_reviews"
        indexes = [
            models.Index(fields=["flagged_at"], condition=models.Q(flagged_at__isnull=False), name="reviews_flagged"),
        ]

    def __str__(self) -> str:
        return f"review of {self.memory_id}"


class MemoryMerge(models.Model):
    """Two memories of one person that say the same: one was set aside, or would have been missed (`refused` says
    why). The database holds that both are of `user_id`. Only the service role sees it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    user_id = models.UUIDField()
    kept = models.UUIDField()
    dropped = models.UUIDField()
    questions = models.PositiveIntegerField()
    refused = models.TextField(default="", db_default="", blank=True)
    created_at = models.DateTimeField(db_default=Now())
    undone_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "memory_merges"
        constraints = [models.UniqueConstraint(fields=["kept", "dropped"], name="two_memories_are_merged_once")]
        indexes = [models.Index(fields=["user_id"], name="merges_by_user")]

    def __str__(self) -> str:
        return f"merge of {self.dropped} into {self.kept}"


class SystemPrompt(models.Model):
    """A prompt template of an agent. A run names the version it uses; `is_active` marks the ones offered."""

    role = models.TextField()
    template = models.TextField()
    version = models.TextField()
    is_active = models.BooleanField(default=True, db_default=True)
    description = models.TextField(default="", db_default="", blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "system_prompts"
        constraints = [models.UniqueConstraint(fields=["role", "version"], name="one_prompt_per_role_and_version")]

    def __str__(self) -> str:
        return f"{self.role} {self.version}"


class TestDialog(models.Model):
    """One scripted step of the Test Runner: what is asked, and a word that the answer must hold.

    `expected_keyword`: alternatives separated by `|`, compared by word stems; empty expects nothing.
    """

    __test__ = False  # not a test class, whatever pytest thinks of its name

    scenario = models.TextField()
    step = models.PositiveIntegerField(validators=[MinValueValidator(1)])
    query = models.TextField()
    expected_keyword = models.TextField(default="", db_default="", blank=True)

    class Meta:
        db_table = "test_dialogs"
        constraints = [models.UniqueConstraint(fields=["scenario", "step"], name="one_dialog_per_scenario_and_step")]

    def __str__(self) -> str:
        return f"{self.scenario} {self.step}"


class SessionStatus(models.TextChoices):
    PLANNED = "planned"
    RUNNING = "running"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"


class TestSession(models.Model):
    """One playing of scripted scenarios.

    `script` is what is played, as it was at the start: `[{"dialog", "scenario", "step", "query", "expected"}]`. Users,
    threads and runs of a session derive from its id, so that a step that is begun twice is one run.
    """

    __test__ = False

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    started_by = models.TextField()
    scenarios = ArrayField(models.TextField())
    script = models.JSONField()
    steps = models.PositiveIntegerField()
    status = models.TextField(choices=SessionStatus.choices, default=SessionStatus.PLANNED)
    error = models.TextField(default="", db_default="", blank=True)
    created_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "test_sessions"
        constraints = [
            models.CheckConstraint(condition=models.Q(status__in=SessionStatus.values), name="session_status_is_known"),
            models.CheckConstraint(
                condition=~models.Q(status=SessionStatus.FAILED) | ~models.Q(error=""),
                name="failed_session_has_a_reason",
            ),
        ]
        indexes = [models.Index(fields=["-created_at"], name="sessions_newest_first")]

    def __str__(self) -> str:
        return f"{self.status} {', '.join(self.scenarios)[:60]}"


class TestRun(models.Model):
    """What came of one scripted step: the run's status and answer, and whether the expected word was in it.

    `position` counts from 0 in the session's script. `validation` is null where nothing was expected.
    """

    __test__ = False

    dialog = models.ForeignKey(TestDialog, on_delete=models.SET_NULL, null=True, related_name="runs")
    session = models.ForeignKey(TestSession, on_delete=models.CASCADE, null=True, related_name="runs")
    position = models.PositiveIntegerField(null=True)
    pipeline_run_id = models.UUIDField(null=True)
    status = models.TextField()
    answer = models.TextField(default="", db_default="", blank=True)
    validation = models.BooleanField(null=True)
    error = models.TextField(default="", db_default="", blank=True)
    latency_ms = models.FloatField(null=True)
    model = models.TextField(default="", db_default="", blank=True)
    parameter_version = models.IntegerField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "test_runs"
        constraints = [
            models.UniqueConstraint(fields=["session", "position"], name="one_result_per_session_and_step"),
            models.UniqueConstraint(fields=["session", "dialog"], name="one_result_per_session_and_dialog"),
        ]

    def __str__(self) -> str:
        return f"{self.dialog_id} {self.status}"
