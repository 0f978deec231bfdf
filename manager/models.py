"""Cycles, the journal of decisions, approvals, policy and reports."""

from __future__ import annotations

import uuid

from django.db import models

from experiments.models import Experiment
from goals.models import Campaign
from manager.domain.lifecycle import ApprovalStatus, CycleState, UpkeepState

CYCLE_TYPES = [("micro", "micro"), ("macro", "macro"), ("deep", "deep")]


class Cycle(models.Model):
    """One pass through the loop. `data` holds what each step committed, so that a killed cycle goes on from there.

    A worker holds the cycle by a lease (`lease_owner`, `lease_until`) that its progress renews.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="cycles")
    number = models.PositiveIntegerField()
    type = models.CharField(max_length=10, choices=CYCLE_TYPES, default="macro")
    state = models.CharField(
        max_length=12, choices=[(state.value, state.value) for state in CycleState], default=CycleState.IDLE
    )
    resume_state = models.CharField(max_length=12, blank=True, help_text="Where a paused or failed cycle goes on.")
    outcome = models.CharField(max_length=20, blank=True)
    outcome_text = models.TextField(blank=True)
    error = models.TextField(blank=True)
    data = models.JSONField(default=dict)
    progress = models.JSONField(default=dict)
    lease_owner = models.CharField(max_length=80, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "cycles"
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["campaign", "number"], name="cycle_number_once_per_campaign"),
            models.UniqueConstraint(
                fields=["campaign"],
                condition=models.Q(finished_at__isnull=True),
                name="one_running_cycle_per_campaign",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=[state.value for state in CycleState]), name="cycle_state_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.campaign}, cycle {self.number}"


class UpkeepSchedule(models.Model):
    """When upkeep comes. One row; each edit is audited. `created_at`: no night before it is made up for."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    enabled = models.BooleanField(default=True, help_text="Off: upkeep by command only.")
    micro_idle_minutes = models.PositiveIntegerField(default=5, help_text="Idle time before a micro cycle.")
    macro_idle_minutes = models.PositiveIntegerField(default=60, help_text="Idle time before a macro cycle.")
    macro_cron = models.CharField(max_length=100, blank=True, help_text="Macro cycles at these times too.")
    deep_cron = models.CharField(max_length=100, blank=True, default="0 3 * * *", help_text="Times of deep cycles.")
    yields = models.BooleanField(
        default=True, help_text="Whether upkeep and campaigns of background workers give way to real users."
    )
    quiet_seconds = models.PositiveIntegerField(
        default=60, help_text="Without a request for so long, work that was paused goes on."
    )
    micro_questions = models.PositiveIntegerField(default=20, help_text="Train questions of a micro cycle.")
    dataset = models.CharField(max_length=50, default="bundled", help_text="Whose questions are asked.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "upkeep_schedules"
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="there_is_one_upkeep_schedule"),
            models.CheckConstraint(
                condition=models.Q(
                    micro_idle_minutes__gte=1, macro_idle_minutes__gte=1, quiet_seconds__gte=1, micro_questions__gte=1
                ),
                name="upkeep_times_are_positive",
            ),
        ]

    def __str__(self) -> str:
        return "upkeep schedule"


class UpkeepCycle(models.Model):
    """A micro, macro or deep cycle: it belongs to no campaign. `findings` holds each finished part by its name, so that
    a killed cycle goes on with the next. Held by a lease, as a campaign's cycle is."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    type = models.CharField(max_length=10, choices=CYCLE_TYPES)
    state = models.CharField(
        max_length=12, choices=[(state.value, state.value) for state in UpkeepState], default=UpkeepState.RUNNING
    )
    slot = models.PositiveSmallIntegerField(
        null=True, default=1, unique=True, help_text="1 until it has ended: there is one at a time."
    )
    dataset = models.CharField(max_length=50)
    version = models.PositiveIntegerField(help_text="Parameter version that its questions are asked under.")
    started_by = models.CharField(max_length=100)
    reason = models.TextField()
    stop_requested = models.BooleanField(default=False)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="How often the part at hand was begun.")
    paused_since = models.DateTimeField(null=True, blank=True)
    findings = models.JSONField(default=dict)
    progress = models.JSONField(default=dict)
    error = models.TextField(blank=True)
    lease_owner = models.CharField(max_length=80, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "upkeep_cycles"
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=[state.value for state in UpkeepState]), name="upkeep_state_is_known"
            ),
            models.CheckConstraint(
                condition=models.Q(finished_at__isnull=True, slot=1) | models.Q(finished_at__isnull=False, slot=None),
                name="upkeep_slot_is_free_at_the_end",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} cycle, {self.state}"


class JournalEntry(models.Model):
    """One decision or observation of the Manager, as a sentence with its reason. Append-only by use."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="journal")
    cycle_number = models.PositiveIntegerField(null=True)
    at = models.DateTimeField(auto_now_add=True)
    kind = models.CharField(max_length=20)
    text = models.TextField()
    reason = models.TextField(blank=True)
    experiment = models.CharField(max_length=120, blank=True)
    data = models.JSONField(default=dict)
    key = models.CharField(max_length=200, help_text="A step that runs again writes its entry once.")

    class Meta:
        db_table = "journal_entries"
        ordering = ["id"]
        verbose_name_plural = "journal entries"
        constraints = [
            models.UniqueConstraint(fields=["campaign", "key"], name="journal_entry_once_per_step"),
        ]

    def __str__(self) -> str:
        return self.text


class Approval(models.Model):
    """A change (or the start of an experiment) that waits for a person, with the evidence shown to that person."""

    KINDS = [("apply", "apply a change"), ("start", "start an experiment")]

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=10, choices=KINDS, default="apply")
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="approvals")
    experiment = models.ForeignKey(Experiment, on_delete=models.PROTECT, related_name="approvals")
    status = models.CharField(
        max_length=10,
        choices=[(status.value, status.value) for status in ApprovalStatus],
        default=ApprovalStatus.PENDING,
    )
    proposal = models.JSONField(help_text="The change, as the Tuner will get it.")
    evidence = models.JSONField(default=dict, help_text="Verdict, golden gate and trade-off, as they stood.")
    reasons = models.JSONField(default=list, help_text="Why a person must decide.")
    base_version = models.PositiveIntegerField()
    content_hash = models.TextField(
        db_default="",
        default="",
        help_text="Of the change, its evidence and its base, as they were put before a person.",
    )
    proposed_by = models.CharField(max_length=100)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    decided_by = models.CharField(max_length=100, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    comment = models.TextField(blank=True)
    applied_version = models.PositiveIntegerField(null=True, blank=True)
    outcome = models.TextField(blank=True)

    class Meta:
        db_table = "approvals"
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["experiment", "kind"], name="one_approval_per_experiment_and_kind"),
            models.CheckConstraint(
                condition=models.Q(status__in=[status.value for status in ApprovalStatus]),
                name="approval_status_is_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.experiment.slug}: {self.status}"


class Policy(models.Model):
    """What the system may do by itself. One row; each edit is audited."""

    GOLDEN_MODES = [("directional", "directional"), ("strict", "strict"), ("not_worse", "not worse")]

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    golden_mode = models.CharField(
        max_length=12,
        choices=GOLDEN_MODES,
        default="directional",
        help_text="What the golden set must show before a change is applied.",
    )
    golden_budget = models.PositiveIntegerField(
        default=200, help_text="Deciding looks at one golden set; then it must be renewed."
    )
    golden_looks_per_campaign = models.PositiveIntegerField(
        default=20,
        help_text="Deciding looks of one campaign at its golden set; then a person decides. 20: ten cycles, each with "
        "one winner that is looked at once, and once more where its base has moved.",
    )
    approval_days = models.PositiveIntegerField(default=7, help_text="An approval that waits longer expires.")
    looks_per_experiment = models.PositiveIntegerField(
        default=1,
        help_text="How often an experiment looks at its result, the end included. More looks may end it early and save "
        "money; each spends some of its significance. Parts of fewer than 50 questions are not made.",
    )
    max_parallel_experiments = models.PositiveIntegerField(
        default=1,
        help_text="Experiments of different campaigns that run at once; never two on one parameter. 1: one after the "
        "other, the more urgent goal first.",
    )
    changes_per_day = models.PositiveIntegerField(
        default=5,
        help_text="Changes that the system applies by itself within 24 hours; beyond them each waits for a person. 0: "
        "every change waits. Rollbacks do not count.",
    )
    experiment_hours = models.FloatField(
        default=0.0,
        help_text="Hours after its start, pauses included, when an experiment closes as inconclusive; 0: never.",
    )
    screening_share = models.FloatField(
        default=0.35, help_text="Share of the train questions that every candidate step is screened on first."
    )
    screening_finalists = models.PositiveIntegerField(
        default=4, help_text="Best candidates that are screened on the other train questions too."
    )
    screening_steps = models.PositiveIntegerField(
        default=40,
        help_text="Candidate steps that one cycle screens at most, the most promising first; the others come next.",
    )
    online_questions_per_cycle = models.PositiveIntegerField(
        default=30,
        help_text="Questions of real users who agreed, asked again in each cycle beside the dialogues; 0: none.",
    )
    max_invalid_dialogues = models.FloatField(
        default=0.1,
        help_text="Share of a cycle's dialogues of simulated users that may be invalid; with more the cycle stops.",
    )
    judge = models.CharField(
        max_length=8,
        choices=[("offline", "offline rules"), ("llm", "a model")],
        default="offline",
        help_text="Who says whether an answer used its context and made nothing up: rules that cost nothing, or the "
        "model of SELFLEARN_JUDGE_MODEL. A change during an experiment blocks its verdict.",
    )
    judge_sample_per_batch = models.PositiveIntegerField(
        default=400,
        help_text="Answers of one batch that a model judges at most, drawn by category, all arms of an example "
        "together. The offline rules judge every answer.",
    )
    judge_usd_per_batch = models.FloatField(
        default=1.0, help_text="US dollars that judging one batch by a model may cost; then it stops."
    )
    judge_min_kappa = models.FloatField(
        "least agreement of a judge",
        default=0.6,
        help_text="Cohen's κ with people, by question. A judge below it does not count in verdicts. 0.6: substantial.",
    )
    judge_min_labels = models.PositiveIntegerField(
        "labels before it is believed",
        default=50,
        help_text="Cases that people must have labelled before the agreement of a judge is believed.",
    )
    judge_uncalibrated_counts = models.BooleanField(
        "a judge that is not calibrated counts",
        default=True,
        help_text="Whether a judge with fewer labels counts in verdicts meanwhile; pages say that it is not "
        "calibrated.",
    )
    four_eyes = models.BooleanField(
        default=False, help_text="Whoever set the goal may not be the only one to approve its changes."
    )
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "policies"
        verbose_name_plural = "policy"
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="there_is_one_policy"),
            models.CheckConstraint(
                condition=models.Q(golden_mode__in=["directional", "strict", "not_worse"]),
                name="golden_mode_is_known",
            ),
            models.CheckConstraint(
                condition=models.Q(looks_per_experiment__gte=1, looks_per_experiment__lte=20),
                name="looks_are_one_to_twenty",
            ),
            models.CheckConstraint(
                condition=models.Q(experiment_hours__gte=0), name="experiment_hours_are_not_negative"
            ),
            models.CheckConstraint(
                condition=models.Q(screening_share__gt=0, screening_share__lte=1), name="screening_share_is_a_share"
            ),
            models.CheckConstraint(
                condition=models.Q(max_parallel_experiments__gte=1), name="an_experiment_may_run_at_least"
            ),
            models.CheckConstraint(condition=models.Q(screening_steps__gte=1), name="a_step_is_screened_at_least"),
            models.CheckConstraint(
                condition=models.Q(max_invalid_dialogues__gte=0, max_invalid_dialogues__lte=1),
                name="max_invalid_dialogues_is_a_share",
            ),
            models.CheckConstraint(
                condition=models.Q(judge_min_kappa__gte=0, judge_min_kappa__lte=1), name="least_agreement_is_a_share"
            ),
            models.CheckConstraint(condition=models.Q(judge__in=["offline", "llm"]), name="judge_is_known"),
            models.CheckConstraint(condition=models.Q(judge_usd_per_batch__gte=0), name="judge_money_is_not_negative"),
        ]

    def __str__(self) -> str:
        return "policy"


class Report(models.Model):
    """A campaign's report as data; Markdown, HTML and terminal text are made from it."""

    campaign = models.OneToOneField(Campaign, on_delete=models.CASCADE, related_name="report")
    content = models.JSONField()
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "reports"

    def __str__(self) -> str:
        return f"report of {self.campaign}"
