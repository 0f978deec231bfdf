"""A real browser at a live server. It must say nothing on its console and ask nobody but this machine."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from contracts.actor import Role
from contracts.goal import Autonomy
from manager.models import Approval
from tests.access.people import PASSWORD, person
from tests.manager.world import Sizes, approval_made, campaign_make, dataset_load, experiment_won
from tests.pages.world import cycle_measured

# Playwright's synchronous API keeps an event loop in this thread, where Django would refuse the ORM.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser") or ""
QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run",
)  # fmt: skip


@dataclass
class Window:
    """A page of the browser, with what went wrong in it."""

    page: Any
    base: str
    troubles: list[str] = field(default_factory=list)

    def open(self, path: str) -> None:
        self.page.goto(self.base + path)

    def sign_in(self, name: str) -> None:
        self.open("/")
        self.page.fill("[name=username]", name)
        self.page.fill("[name=password]", PASSWORD)
        self.page.click("[type=submit]")
        self.page.wait_for_url(self.base + "/")

    def title(self) -> str:
        return str(self.page.inner_text("h1"))

    def text(self, selector: str = "main") -> str:
        return str(self.page.inner_text(selector))


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    if not CHROMIUM:
        pytest.skip("no Chromium on this machine: install it, or set CHROMIUM to its path")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield browser
        browser.close()


@pytest.fixture
def window(browser: Any, live_server: Any) -> Iterator[Window]:
    """Fails the test at its end when the console complained or a request left the machine."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-US")
    found = Window(page=context.new_page(), base=live_server.url)
    found.page.set_default_timeout(15_000)
    found.page.on("pageerror", lambda error: found.troubles.append(f"script: {error}"))
    found.page.on("console", lambda said: _console(found, said))
    found.page.on("request", lambda request: _request(found, request.url))
    yield found
    context.close()
    assert found.troubles == []


def _console(window: Window, said: Any) -> None:
    if said.type == "error":
        window.troubles.append(f"console: {said.text}")


def _request(window: Window, url: str) -> None:
    if not url.startswith((window.base, "data:", "blob:")):
        window.troubles.append(f"left the machine: {url}")


@pytest.fixture
def waiting(live_server: Any, tmp_path: Path) -> Approval:
    """A running campaign with one change that waits, and the cast with accounts."""
    person("alice", Role.META_USER)
    person("charlie", Role.VIEWER)
    dataset_load(tmp_path, sizes=Sizes(train=1, validation=1, golden=1))
    campaign = campaign_make(autonomy=Autonomy.SEMI_AUTO)
    cycle_measured(campaign, number=1, recall=0.41)
    cycle_measured(campaign, number=2, recall=0.52)
    return approval_made(experiment_won(campaign))
