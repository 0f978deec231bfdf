"""Pages with answers say which engine gave them."""

from __future__ import annotations

import uuid
from types import SimpleNamespace

import pytest
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from experiments.models import Experiment
from maas.client import get_client
from manager.models import Approval
from selflearn_site.templatetags.engine import Engines, engine_name, engines_recorded
from sensor.models import SensorEvent
from tests.admin.world import ANNA, World, world_build

NOTE = "pages/partials/engine_note.html"


def recorded(experiment: Experiment, model: str) -> None:
    event = SensorEvent.objects.get()
    event.pk, event.experiment, event.model = None, experiment.slug, model
    event.save()


@pytest.fixture
def world(db: None) -> World:
    return world_build()


def test_note__offline_engine__says_that_it_is_no_language_model(settings: Settings) -> None:
    settings.SELFLEARN_LLM = "offline"
    text = render_to_string(NOTE)
    assert 'data-engine="offline"' in text
    assert "not a language model" in text
    assert "SELFLEARN_LLM=openai" in text


def test_note__language_model__is_named(settings: Settings) -> None:
    settings.SELFLEARN_LLM, settings.SELFLEARN_MODEL = "openai", "small-model"
    text = render_to_string(NOTE)
    assert 'data-engine="model"' in text
    assert "small-model" in text
    assert "offline" not in text


def test_engines_recorded__of_an_experiment__are_those_of_its_runs(world: World) -> None:
    assert engines_recorded(experiment=world.experiment.slug) is None
    recorded(world.experiment, "offline")
    found = engines_recorded(experiment=world.experiment.slug)
    assert found is not None
    assert (found.offline, found.models) == (True, ())


def test_engines_recorded__of_a_campaign__name_what_answered_whatever_is_set_now(
    world: World, settings: Settings
) -> None:
    settings.SELFLEARN_LLM = "offline"
    recorded(world.experiment, "small-model")
    text = render_to_string(NOTE, {"engines": engines_recorded(campaign=world.campaign.number)})
    assert "small-model" in text
    assert "offline engine" not in text


def test_engines_recorded__of_a_batch_or_of_runs__are_those_of_its_answers(world: World) -> None:
    recorded(world.experiment, "small-model")
    exchange = SimpleNamespace(run_id=uuid.uuid4())
    SensorEvent.objects.filter(model="small-model").update(batch="one-batch", pipeline_run_id=exchange.run_id)
    assert engines_recorded(batch="one-batch") == engines_recorded(runs=[exchange]) == Engines.named(["small-model"])
    assert engines_recorded(batch="another") is None
    assert engines_recorded(runs=[]) is None


def test_report__answered_by_the_offline_engine__says_so(meta_user: Client, approval: Approval) -> None:
    text = meta_user.get(reverse("pages:report", args=[approval.campaign.number])).content.decode()
    assert "not a language model" in text


def test_admin__list_of_runs__names_the_engine_of_each_answer(meta_user: Client, world: World) -> None:
    get_client().wait(world.run_id, user_id=ANNA, timeout=10)
    text = meta_user.get(reverse("admin:maas_pipelinerun_changelist")).content.decode()
    assert "offline engine, no language model" in text


def test_engine_name__of_the_offline_model__says_what_it_is() -> None:
    assert [engine_name(name) for name in ("offline", "small-model", None)] == ["offline engine", "small-model", "–"]
