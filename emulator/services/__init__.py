"""Writes of the emulator."""

from emulator.domain.script import EmulationPlan
from emulator.services.batches import emulation_start, emulation_stop
from emulator.services.play import Progress, emulation_run

__all__ = ["EmulationPlan", "Progress", "emulation_run", "emulation_start", "emulation_stop"]
