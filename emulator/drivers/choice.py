"""Which driver a plan asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emulator.domain.script import EmulationPlan
from emulator.drivers.base import Driver
from emulator.drivers.offline import OfflineDriver

if TYPE_CHECKING:
    from maas.client import MaasClient


def driver_of(plan: EmulationPlan, client: MaasClient) -> Driver:
    """Raises `InvalidInput` when the plan wants a model and none is set up."""
    if plan.driver == "llm":
        from emulator.drivers.llm import LlmDriver

        return LlmDriver(client=client, pinned_version=plan.pinned_version)
    return OfflineDriver()
