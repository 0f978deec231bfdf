from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable

import pytest
from django.db import connection

from audit.models import AuditEntry
from audit.selectors import chain_verify
from contracts.actor import component
from contracts.parameters import ParameterContext
from kernel.errors import Conflict
from tests.tuner.factories import next_step
from tuner import selectors, services
from tuner.models import ParameterActivation, ParameterVersion

pytestmark = pytest.mark.django_db(transaction=True)
MANAGER = component("manager")
THREADS = 8


def _together(work: Callable[[int], object], threads: int = THREADS) -> list[BaseException]:
    """Run `work(number)` in that many threads at once; what escaped from them."""
    errors: list[BaseException] = []
    start = threading.Barrier(threads)

    def run(number: int) -> None:
        try:
            start.wait()
            work(number)
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    running = [threading.Thread(target=run, args=(number,)) for number in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return errors


def test_version_activate__from_eight_threads__leaves_exactly_one_active() -> None:
    services.change_apply(proposal=next_step(), actor=MANAGER)
    outcomes: Counter[str] = Counter()

    def work(number: int) -> None:
        for _ in range(10):
            active = selectors.active_version().version
            try:
                services.version_activate(
                    version=3 - active, expected_active=active, actor=MANAGER, reason=f"thread {number}"
                )
                outcomes["done"] += 1
            except Conflict:
                outcomes["conflict"] += 1

    assert _together(work) == []
    assert ParameterVersion.objects.filter(is_active=True).count() == 1
    assert ParameterActivation.objects.filter(action="activate").count() == outcomes["done"] + 1
    assert AuditEntry.objects.filter(action="parameters.activated").count() == outcomes["done"] + 1
    assert AuditEntry.objects.filter(action="parameters.refused").count() == outcomes["conflict"]
    assert chain_verify().ok


def test_change_apply__same_base_from_eight_threads__one_wins_and_the_others_conflict() -> None:
    wishes = [next_step("retrieval.min_score", 0.01 * (number + 1)) for number in range(THREADS)]
    errors = _together(lambda number: services.change_apply(proposal=wishes[number], actor=MANAGER))
    assert [type(error) for error in errors] == [Conflict] * (THREADS - 1)
    assert ParameterVersion.objects.count() == 2


def test_experiment_prepare__same_arms_from_eight_threads__gives_one_version_each() -> None:
    found: list[dict[str, int]] = []

    def work(_number: int) -> None:
        arms = {"baseline": {}, "variant": {"top_k": 2}}
        found.append(services.experiment_prepare(experiment="e", arms=arms, base_version=1, actor=MANAGER))

    assert _together(work) == []
    assert found == [found[0]] * THREADS


def test_effective_params__while_versions_change__always_fits_its_version() -> None:
    """What a reader gets is a version's own content, and versions never go backwards."""
    stop = threading.Event()
    seen: list[tuple[int, int]] = []

    def work(number: int) -> None:
        if number:
            while not stop.is_set():
                got = selectors.effective_params(ParameterContext())
                seen.append((got.version, got.values["retrieval.keyword_count"]))
            return
        try:
            for value in (6, 7, 6, 5, 4, 5, 6, 7):
                services.change_apply(proposal=next_step("retrieval.keyword_count", value), actor=MANAGER)
        finally:
            stop.set()

    assert _together(work, threads=4) == []
    stored = {v.version: v.stored_values["retrieval.keyword_count"] for v in ParameterVersion.objects.all()}
    assert len(stored) == 9
    assert all(stored[version] == value for version, value in seen)
    assert selectors.effective_params(ParameterContext()).values["retrieval.keyword_count"] == 7
