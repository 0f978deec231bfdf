"""A whole campaign is dear: it is run once, left in the database for one module, and remembered for the others."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from goals.models import Campaign
from maas import parameters
from tests.manager.story import Story, campaign_run, databases_empty, story_of


def shelf(factory: pytest.TempPathFactory) -> Path:
    """Where the story of this session is kept, for all of its processes."""
    base = factory.getbasetemp()
    return (base.parent if base.name.startswith("popen-") else base) / "undisturbed.pickle"


@pytest.fixture(autouse=True)
def no_versions_of_other_tests() -> None:
    """A version never changes, so processes remember it; an emptied test database counts them anew."""
    parameters.forget()


@pytest.fixture(scope="module")
def finished(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Campaign]:
    """A campaign that ran to its end; its rows stay until the module's tests are done. For tests with `db` only."""
    with django_db_blocker.unblock():
        try:
            campaign = campaign_run(tmp_path_factory.mktemp("world"))
            draft = tmp_path_factory.mktemp("story") / "story.pickle"
            draft.write_bytes(pickle.dumps(story_of(campaign)))
            draft.replace(shelf(tmp_path_factory))
            yield campaign
        finally:
            databases_empty()


@pytest.fixture(scope="session")
def undisturbed(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Story:
    """The story of a campaign that nobody disturbed. Leaves the databases empty, if it has to run one."""
    kept = shelf(tmp_path_factory)
    if kept.exists():
        story: Story = pickle.loads(kept.read_bytes())  # noqa: S301 - this session has written it
        return story
    with django_db_blocker.unblock():
        try:
            return story_of(campaign_run(tmp_path_factory.mktemp("world")))
        finally:
            databases_empty()
