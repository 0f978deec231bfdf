"""API tokens. The token itself is never stored: only its SHA-256 and the first characters, to tell tokens apart."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from contracts.actor import Role


class ApiToken(models.Model):
    """A program's key to the API, with the role that it acts in. Names are never given twice: the change log names
    a token by it."""

    name = models.CharField(max_length=80, unique=True)
    role = models.CharField(max_length=12, choices=[(role.value, role.value) for role in Role])
    digest = models.CharField(max_length=64, unique=True, editable=False)
    scopes = ArrayField(
        models.TextField(), null=True, blank=True, editable=False,
        help_text="Which groups of routes it may read or write. Empty: whatever its role may do.",
    )  # fmt: skip
    prefix = models.CharField(max_length=12, editable=False, help_text="The first characters, as its owner sees them.")
    created_by = models.CharField(max_length=200, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Empty: never.")
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        db_table = "api_tokens"
        ordering = ["-created_at", "-id"]
        verbose_name = "API token"
        constraints = [
            models.CheckConstraint(condition=Q(role__in=[role.value for role in Role]), name="api_token_role_is_known"),
            models.CheckConstraint(
                condition=Q(expires_at__isnull=True) | Q(expires_at__gt=models.F("created_at")),
                name="api_token_expires_after_it_was_made",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @property
    def state(self) -> str:
        """`active`, `expired` or `revoked`."""
        if self.revoked_at is not None:
            return "revoked"
        if self.expires_at is not None and self.expires_at <= timezone.now():
            return "expired"
        return "active"


class IdempotencyKey(models.Model):
    """One `Idempotency-Key` of one caller: what was asked under it, and what was answered. `status` is null while the
    first request is under way. Kept for a day, then the key may be used anew."""

    actor = models.CharField(max_length=200, help_text="Its label, e.g. `token:crm`.")
    key = models.CharField(max_length=200)
    digest = models.CharField(max_length=64, help_text="SHA-256 of method, address and body.")
    status = models.PositiveSmallIntegerField(null=True)
    headers = models.JSONField(default=dict)
    body = models.BinaryField(default=bytes)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "api_idempotency_keys"
        constraints = [models.UniqueConstraint(fields=["actor", "key"], name="idempotency_key_once_per_actor")]
        indexes = [models.Index(fields=["created_at"], name="idempotency_key_age")]

    def __str__(self) -> str:
        return f"{self.actor} {self.key}"


class RateWindow(models.Model):
    """How many requests a caller made in the window that began then. One row a caller, counted in one statement, so
    that all web processes count together."""

    subject = models.CharField(max_length=250, primary_key=True)
    began_at = models.DateTimeField()
    count = models.PositiveIntegerField()

    class Meta:
        db_table = "api_rate_windows"

    def __str__(self) -> str:
        return f"{self.subject}: {self.count}"


class SignInFailure(models.Model):
    """Wrong passwords for one name from one address, in a row. Deleting the row unlocks."""

    MOST: ClassVar[int] = 5
    LOCKED: ClassVar[timedelta] = timedelta(minutes=15)

    name = models.CharField(max_length=150)
    address = models.CharField(max_length=45)
    failures = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField()

    class Meta:
        db_table = "sign_in_failures"
        ordering = ["-last_at"]
        constraints = [models.UniqueConstraint(fields=["name", "address"], name="sign_in_failure_once_per_place")]

    def __str__(self) -> str:
        return f"{self.name} from {self.address}"

    @property
    def is_locked(self) -> bool:
        return self.failures >= self.MOST and timezone.now() - self.last_at < self.LOCKED
