"""Who works on a cycle. A lease is taken by one conditional UPDATE, renewed by progress, and runs out by itself."""

from __future__ import annotations

import os
import socket
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from kernel.errors import Conflict
from manager.models import Cycle, UpkeepCycle

Leasable = type[Cycle] | type[UpkeepCycle]

_RENEW_EVERY = 0.5


def worker_name() -> str:
    """A name that no other worker has."""
    return f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"


def lease_seconds() -> float:
    return float(getattr(settings, "MANAGER_LEASE_SECONDS", 30.0))


class LeaseLost(Conflict):
    """Another worker has taken the cycle over; this one stops without committing."""


class Lease:
    """Held while a step runs. `beat` renews it and stores progress, at most twice a second; a lease that another
    worker took over raises `LeaseLost`, so that the slower worker stops before it commits anything."""

    def __init__(self, cycle_id: uuid.UUID, owner: str, model: Leasable = Cycle):
        self.cycle_id = cycle_id
        self.model = model
        self.owner = owner
        self._last = 0.0

    def beat(self, progress: dict[str, Any] | None = None, *, force: bool = False) -> None:
        now = time.monotonic()
        if not force and now - self._last < _RENEW_EVERY:
            return
        self._last = now
        values: dict[str, Any] = {"lease_until": timezone.now() + timedelta(seconds=lease_seconds())}
        if progress is not None:
            values["progress"] = progress
        if self.model.objects.filter(id=self.cycle_id, lease_owner=self.owner).update(**values) != 1:
            raise LeaseLost("another worker has taken this cycle over")


class NoLease(Lease):
    """For work that is safe to do twice at once: nothing to renew, nothing to lose."""

    def __init__(self) -> None:
        super().__init__(uuid.UUID(int=0), "")

    def beat(self, progress: dict[str, Any] | None = None, *, force: bool = False) -> None:  # noqa: ARG002
        return


@contextmanager
def leased(cycle_id: uuid.UUID, owner: str, model: Leasable = Cycle) -> Iterator[Lease | None]:
    """The lease of an open cycle, or None when another worker holds it. Given back at the end, also after an error;
    a killed worker's lease runs out."""
    now = timezone.now()
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now) | Q(lease_owner=owner)
    taken = model.objects.filter(free, id=cycle_id, finished_at__isnull=True).update(
        lease_owner=owner, lease_until=now + timedelta(seconds=lease_seconds())
    )
    if taken != 1:
        yield None
        return
    try:
        yield Lease(cycle_id, owner, model)
    finally:
        model.objects.filter(id=cycle_id, lease_owner=owner).update(lease_owner="", lease_until=None)
