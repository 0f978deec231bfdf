"""Cycles, the journal of decisions, approvals, policy and reports."""

from __future__ import annotations

import uuid

from django.db import models

from experiments.models import Experiment
from goals.models import Campaign
from manager.domain.lifecycle import ApprovalStatus, CycleState, UpkeepState
from manager.models.memories import PruningProposal
from manager.models.policy import Policy, PolicyVersion

__all__ = [
    "Approval",
    "Cycle",
    "JournalEntry",
    "Policy",
    "PolicyVersion",
    "PruningProposal",
    "Report",
    "UpkeepCycle",
    "UpkeepSchedule",
]

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
    patience_hours = models.PositiveIntegerField(
        default=6, help_text="A campaign that has given way for longer goes on for one step. 0: never."
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
    policy_version = models.PositiveIntegerField(null=True, help_text="The policy that held then.")

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
    policy_version = models.PositiveIntegerField(null=True, help_text="The policy under which a person is asked.")
    proposed_by = models.CharField(max_length=100)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    decided_by = models.CharField(max_length=100, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    comment = models.TextField(blank=True)
    applied_version = models.PositiveIntegerField(null=True, blank=True)
    outcome = models.TextField(blank=True)
    reminded_at = models.DateTimeField(null=True, blank=True)
    reminders = models.PositiveSmallIntegerField(default=0)

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


class Report(models.Model):
    """A campaign's report as data; Markdown, HTML and terminal text are made from it."""

    campaign = models.OneToOneField(Campaign, on_delete=models.CASCADE, related_name="report")
    content = models.JSONField()
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "reports"

    def __str__(self) -> str:
        return f"report of {self.campaign}"
