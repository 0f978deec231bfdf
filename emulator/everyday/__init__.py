"""Everyday trivia around the stories, as fills most of a real memory store (docs/SCENARIOS.md, "Everyday notes")."""

from emulator.everyday.background import EVERYDAY_NOTES, background
from emulator.everyday.notes import EverydayNote, everyday_notes

__all__ = ["EVERYDAY_NOTES", "EverydayNote", "background", "everyday_notes"]
