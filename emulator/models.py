"""Batches of emulated dialogues, turn by turn, with the truth of each question. Joined to MaaS by ids alone."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from emulator.domain.lifecycle import BatchStatus


class EmulationBatch(models.Model):
    """One plan being played. Counts are kept in step with the turns, in the same transaction."""

    id = models.UUIDField(primary_key=True)
    batch = models.CharField(max_length=200, unique=True)
    plan = models.JSONField()
    dataset = models.CharField(max_length=100)
    split = models.CharField(max_length=20)
    experiment = models.CharField(max_length=200, blank=True, default="")
    variant = models.CharField(max_length=100, blank=True, default="")
    status = models.CharField(max_length=20, default=BatchStatus.PENDING.value)
    stop_requested = models.BooleanField(default=False)
    error = models.TextField(blank=True, default="")
    dialogues_total = models.PositiveIntegerField()
    turns_total = models.PositiveIntegerField()
    queries_total = models.PositiveIntegerField()
    turns_done = models.PositiveIntegerField(default=0)
    turns_failed = models.PositiveIntegerField(default=0)
    turns_limit = models.PositiveIntegerField(default=0, help_text="What its users may say at most; 0: as planned.")
    statements_unremembered = models.PositiveIntegerField(default=0)
    dialogues_done = models.PositiveIntegerField(default=0)
    dialogues_invalid = models.PositiveIntegerField(default=0)
    driver_tokens = models.PositiveBigIntegerField(default=0, help_text="Tokens of the model that words the users.")
    driver_cost_usd = models.FloatField(default=0.0)
    created_by = models.CharField(max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "emulation_batches"
        verbose_name_plural = "emulation batches"
        ordering = ("-created_at",)
        constraints = [
            models.CheckConstraint(
                name="emulation_batch_status_is_known", condition=Q(status__in=[str(s) for s in BatchStatus])
            ),
            models.CheckConstraint(
                name="emulation_batch_plays_no_more_turns_than_planned",
                condition=Q(turns_done__lte=F("turns_total")),
            ),
            models.CheckConstraint(
                name="emulation_batch_grows_no_further_than_its_limit",
                condition=Q(turns_limit=0) | Q(turns_total__lte=F("turns_limit")),
            ),
        ]
        indexes = [models.Index(name="emulations_of_experiment", fields=["experiment", "variant"])]

    def __str__(self) -> str:
        return self.batch

    @property
    def invalid_rate(self) -> float | None:
        """Share of finished dialogues that are invalid; None while none has finished."""
        return self.dialogues_invalid / self.dialogues_done if self.dialogues_done else None


class EmulationDialogue(models.Model):
    """One thread of one synthetic user. Where `agenda` holds something, its turns are decided while it is played."""

    id = models.UUIDField(primary_key=True)
    batch = models.ForeignKey(EmulationBatch, on_delete=models.CASCADE, related_name="dialogues")
    dialogue = models.CharField(max_length=300)
    example = models.CharField(max_length=300)
    user_id = models.UUIDField()
    thread_id = models.UUIDField()
    scenario = models.CharField(max_length=200)
    scenario_variant = models.BigIntegerField()
    cluster = models.CharField(max_length=200)
    split = models.CharField(max_length=20)
    dataset = models.CharField(max_length=100)
    language = models.CharField(max_length=10, blank=True, default="")
    persona = models.CharField(max_length=200, blank=True, default="")
    goal = models.TextField(blank=True, default="")
    agenda = models.JSONField(
        default=list, help_text="What a user who listens is to say and ask. Empty: the turns are fixed."
    )
    turn_limit = models.PositiveIntegerField(default=0)
    turns_expected = models.PositiveIntegerField(default=0, help_text="Its share of the batch's total of turns.")
    ending = models.CharField(max_length=20, blank=True, default="", help_text="Why the user stopped.")
    ordinal = models.PositiveIntegerField()
    is_valid = models.BooleanField(default=True)
    invalid_reason = models.CharField(max_length=300, blank=True, default="")
    finished_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "emulation_dialogues"
        ordering = ("batch_id", "user_id", "ordinal", "dialogue")
        constraints = [
            models.UniqueConstraint(name="emulation_dialogue_is_once_in_its_batch", fields=["batch", "dialogue"]),
            models.CheckConstraint(
                name="emulation_dialogue_is_invalid_for_a_reason",
                condition=Q(is_valid=True) | ~Q(invalid_reason=""),
            ),
            models.CheckConstraint(
                name="emulation_dialogue_is_never_golden", condition=Q(split__in=["train", "validation"])
            ),
        ]

    def __str__(self) -> str:
        return self.dialogue


class EmulationTurn(models.Model):
    """One message and what came of it. A turn with a `query_id` is a question; its truth is in the columns after it.

    A statement with `truth_excluded` was not said as it should have been: questions about it have no truth.
    """

    id = models.UUIDField(primary_key=True, help_text="The run's id: it depends on batch, dialogue and position alone.")
    batch = models.ForeignKey(EmulationBatch, on_delete=models.CASCADE, related_name="turns")
    dialogue = models.ForeignKey(EmulationDialogue, on_delete=models.CASCADE, related_name="turns")
    position = models.PositiveIntegerField()
    text = models.TextField()
    simulated_at = models.DateTimeField()
    event_ids = ArrayField(models.CharField(max_length=200), default=list, blank=True)
    memory_id = models.UUIDField(null=True)
    run_status = models.CharField(max_length=20, blank=True, default="")
    answer_excerpt = models.CharField(max_length=500, blank=True, default="")
    error = models.TextField(blank=True, default="")
    finished_at = models.DateTimeField(null=True)
    query_id = models.CharField(max_length=200, blank=True, default="")
    query_kind = models.CharField(max_length=20, blank=True, default="")
    category = models.CharField(max_length=20, blank=True, default="")
    difficulty = models.CharField(max_length=20, blank=True, default="")
    should_retrieve = models.BooleanField(null=True)
    expects = ArrayField(models.CharField(max_length=200), default=list, blank=True)
    expected_memory_ids = ArrayField(models.UUIDField(), default=list, blank=True)
    key_facts = ArrayField(models.TextField(), default=list, blank=True)
    forbidden = ArrayField(models.TextField(), default=list, blank=True)
    truth_excluded = models.CharField(max_length=300, blank=True, default="")
    act = models.CharField(max_length=20, blank=True, default="", help_text="What the user was doing; empty: a script.")
    reason = models.CharField(max_length=300, blank=True, default="", help_text="Why the user did it.")
    point = models.PositiveIntegerField(null=True, help_text="Its place in the agenda.")
    asked_again = models.CharField(
        max_length=200, blank=True, default="", help_text="The question that this asks once more; not counted again."
    )
    repeats = ArrayField(models.CharField(max_length=200), default=list, blank=True)
    heard = models.JSONField(default=dict, blank=True, help_text="What the user took from the answer to this turn.")

    class Meta:
        db_table = "emulation_turns"
        ordering = ("dialogue_id", "position")
        constraints = [
            models.UniqueConstraint(
                name="emulation_turn_has_one_place_in_its_dialogue", fields=["dialogue", "position"]
            ),
            models.CheckConstraint(
                name="emulation_turn_states_or_asks", condition=Q(query_id="") | Q(event_ids__len=0)
            ),
            models.CheckConstraint(
                name="emulation_turn_asks_once_or_again", condition=Q(query_id="") | Q(asked_again="")
            ),
        ]
        indexes = [
            models.Index(name="emulation_turns_unsaid", fields=["batch"], condition=Q(finished_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.dialogue_id}[{self.position}]"

    @property
    def run_id(self) -> object:
        """The run that plays this turn."""
        return self.id
