"""Every list, form and row of the admin opens, with rows in it."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_q.models import Failure, OrmQ, Schedule, Success, Task

from contracts.actor import Role
from experiments.golden_access import golden_rows
from maas.access import as_service
from selflearn_site.access.models import ApiToken, SignInFailure
from tests.access.people import bearer, client_of, person
from tests.admin.world import World

MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)
NOT_SHOWN = {
    "sensor.LedgerEntry",  # a composite key cannot be shown in the admin
    "access.RateWindow", "access.IdempotencyKey",  # counters, and whole answers that were given to others
}  # fmt: skip
OF_ROOMS = {"audit", "incidents", "tuner", "maas", "emulator", "sensor", "hypotheses", "experiments", "goals",
            "manager", "access", "notifications"}  # fmt: skip


def _name(model: type[Model], page: str) -> str:
    return f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}"


def _rows_of_tasks() -> None:
    Schedule.objects.create(name="s", func="math.sqrt", args="4")
    OrmQ.objects.create(key="k", payload="", lock=timezone.now())
    for number, success in enumerate((True, False)):
        Task.objects.create(
            id=f"t{number}", name=f"t{number}", func="math.sqrt", started=timezone.now(), stopped=timezone.now(),
            success=success,
        )  # fmt: skip


def _first(model: type[Model]) -> Any:
    rows = golden_rows() if model._meta.label == "experiments.GoldenExample" else model._default_manager.all()
    with as_service():
        return rows.order_by("pk").first()


def test_registry__of_all_rooms__holds_every_model() -> None:
    from django.apps import apps

    missing = {
        model._meta.label
        for model in apps.get_models()
        if model._meta.app_label in OF_ROOMS and model not in admin.site._registry
    }
    assert missing == NOT_SHOWN


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_admin__of_each_model__lists_searches_and_shows_a_row(model: type[Model], root: Client, world: World) -> None:
    bearer(Role.VIEWER)
    _rows_of_tasks()
    listing = root.get(reverse(_name(model, "changelist")))
    assert listing.status_code == 200
    assert root.get(reverse(_name(model, "changelist")), {"q": "top"}).status_code == 200
    if model is OrmQ:
        return  # its payload is a signed pickle; django-q's page shows nothing for an empty one
    row = _first(model)
    assert row is not None, f"the world has no {model._meta.label}"
    page = root.get(reverse(_name(model, "change"), args=[row.pk]))
    assert page.status_code == 200


IN_ROOMS = [model for model in MODELS if model._meta.app_label in OF_ROOMS]


def test_admin__for_a_viewer__shows_and_refuses_to_add_change_or_delete(viewer: Client, world: World) -> None:
    for model in IN_ROOMS:
        if model in (ApiToken, SignInFailure):  # for meta-users alone
            continue
        row, name = _first(model), model._meta.label
        assert viewer.get(reverse(_name(model, "changelist"))).status_code == 200, name
        assert viewer.get(reverse(_name(model, "add"))).status_code == 403, name
        assert viewer.post(reverse(_name(model, "change"), args=[row.pk]), {}).status_code == 403, name
        assert viewer.post(reverse(_name(model, "delete"), args=[row.pk]), {"post": "yes"}).status_code == 403, name


def test_tokens__for_a_viewer__are_closed(viewer: Client) -> None:
    assert viewer.get(reverse(_name(ApiToken, "changelist"))).status_code == 403


def test_admin__of_facts__lets_not_even_a_superuser_add_or_delete(root: Client, world: World) -> None:
    for model in IN_ROOMS:
        if model._meta.label in ("access.ApiToken", "maas.SystemPrompt", "maas.TestDialog", "notifications.Channel"):
            continue
        row, name = _first(model), model._meta.label
        assert root.get(reverse(_name(model, "add"))).status_code == 403, name
        assert root.post(reverse(_name(model, "delete"), args=[row.pk]), {"post": "yes"}).status_code == 403, name


def test_admin_index__for_staff_without_a_group__opens(db: None) -> None:
    page = client_of(person("dora")).get(reverse("admin:index"))
    assert page.status_code == 200
    assert b"/approvals/" in page.content


def test_admin__for_somebody_not_on_the_staff__sends_to_sign_in(db: None) -> None:
    response = client_of(person("eve", staff=False)).get(reverse("admin:index"))
    assert response.status_code == 302
    assert "login" in response.headers["Location"]


def test_users__for_a_meta_user_who_is_no_superuser__are_closed(meta_user: Client) -> None:
    assert meta_user.get(reverse("admin:auth_user_changelist")).status_code == 403
    assert User.objects.count() == 1


def test_tasks__registered_models__are_those_of_django_q() -> None:
    assert {Schedule, Success, Failure, OrmQ} <= set(MODELS)


def test_navigation__in_the_admin__leads_to_pages_and_to_lists_that_exist(root: Client) -> None:
    page = root.get(reverse("admin:index")).content.decode()
    for address in ("/goals/", "/experiments/", "/approvals/", "/parameters/", "/changes/", "/reports/", "/incidents/"):
        assert f'href="{address}"' in page
    assert reverse("admin:maas_memory_changelist") in page


def test_admin__in_any_page__asks_nothing_of_other_servers(root: Client, world: World) -> None:
    page = root.get(reverse("admin:manager_approval_change", args=[world.approval.pk])).content.decode()
    assert 'src="http' not in page
    assert 'rel="stylesheet" href="http' not in page
