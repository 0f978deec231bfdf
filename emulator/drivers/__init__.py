"""Drivers: what a simulated user's acts are worded by. One protocol, two engines."""

from emulator.drivers.base import Driver, Scene, Worded
from emulator.drivers.choice import driver_of

__all__ = ["Driver", "Scene", "Worded", "driver_of"]
