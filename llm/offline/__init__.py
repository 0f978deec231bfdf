"""The offline engine: deterministic, extractive, no network. It says what it is: its model name is "offline"."""

from llm.offline.engine import OfflineModel

__all__ = ["OfflineModel"]
