"""Data sets and their splits. Golden examples have a table of their own: rights and imports keep it apart."""

from __future__ import annotations

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models


class Dataset(models.Model):
    """A named collection of histories (memories of synthetic users) and of questions with ground truth."""

    name = models.SlugField(unique=True)
    source = models.CharField(max_length=200, help_text="Where it came from: the bundled scenarios or a file.")
    report = models.JSONField(default=dict, help_text="What the import took, what it skipped and why.")
    golden_hash = models.CharField(max_length=64, blank=True, help_text="SHA-256 of the golden examples' content.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "datasets"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Example(models.Model):
    """One question with what it should find and say. `asked_at` is simulated time."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="+")
    external_id = models.CharField(max_length=200, help_text="Stable name inside the data set.")
    user_id = models.UUIDField(help_text="The synthetic user whose memories are searched.")
    query = models.TextField()
    asked_at = models.DateTimeField(help_text="Simulated time: later memories are not seen.")
    expected_memory_ids = ArrayField(models.UUIDField(), default=list, blank=True)
    key_facts = ArrayField(models.TextField(), default=list, blank=True)
    forbidden = ArrayField(models.TextField(), default=list, blank=True)
    should_retrieve = models.BooleanField(default=True)
    category = models.CharField(max_length=30)
    difficulty = models.CharField(max_length=10, default="medium")
    cluster = models.CharField(max_length=200, help_text="Examples that are not independent share a cluster.")

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.external_id


class EvaluationExample(Example):
    """Train or validation."""

    split = models.CharField(max_length=10, choices=[("train", "train"), ("validation", "validation")])

    class Meta:
        db_table = "experiment_examples"
        ordering = ["dataset_id", "split", "external_id"]
        constraints = [
            models.UniqueConstraint(fields=["dataset", "external_id"], name="example_is_in_one_split_of_a_dataset"),
            models.CheckConstraint(
                condition=models.Q(split__in=["train", "validation"]), name="example_split_is_train_or_validation"
            ),
        ]
        indexes = [models.Index(fields=["dataset", "split"], name="example_by_split")]


class GoldenExample(Example):
    """Never seen by learning; decides only apply or roll back. Read inside `experiments.golden_access` alone.

    Nothing of it is changed or deleted once it is sealed: it is retired. The set of seal n is what was added in it or
    before, and is not retired in it or before, so that every earlier set can be asked and checked again.
    """

    added_in = models.PositiveIntegerField(default=1, db_default=1, help_text="Number of the seal that took it in.")
    retired_in = models.PositiveIntegerField(null=True, blank=True, help_text="Number of the seal that left it out.")

    class Meta:
        db_table = "golden_examples"
        ordering = ["dataset_id", "external_id"]
        constraints = [
            models.UniqueConstraint(fields=["dataset", "external_id"], name="golden_example_once_per_dataset"),
        ]


class GoldenSeal(models.Model):
    """The golden set of a data set as it was sealed: its hash, and a short hash of each example.

    Read by all, written with the golden role alone, never changed. `source_run`: the real exchange that this seal
    made an example of.
    """

    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="seals")
    number = models.PositiveIntegerField()
    content_hash = models.CharField(max_length=64)
    digests = models.JSONField(default=dict, help_text="Example → the first 16 digits of its own hash.")
    change = models.CharField(max_length=10, choices=[(name, name) for name in ("loaded", "added", "retired")])
    example = models.CharField(max_length=200, blank=True, help_text="What was added or retired.")
    source_run = models.UUIDField(null=True, blank=True)
    reason = models.TextField()
    actor = models.CharField(max_length=100)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "golden_seals"
        ordering = ["dataset_id", "number"]
        constraints = [
            models.UniqueConstraint(fields=["dataset", "number"], name="golden_seal_number_once_per_dataset"),
            models.UniqueConstraint(fields=["dataset", "source_run"], name="real_exchange_is_golden_once_per_dataset"),
        ]

    def __str__(self) -> str:
        return f"{self.dataset.name}, seal {self.number}"

    @property
    def size(self) -> int:
        return len(self.digests)
