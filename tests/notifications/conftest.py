from __future__ import annotations

from typing import Any

import pytest

from notifications.domain.addresses import networks_read


@pytest.fixture(autouse=True)
def own_machine_permitted(settings: Any) -> None:
    """As an installation does whose receivers stand beside it."""
    settings.SELFLEARN_NOTIFY_NETWORKS = networks_read("127.0.0.0/8, ::1/128")
