"""GOAL TRANSLATION: a sentence in Russian or English into a formal goal, by rules. No Django, no model.

`lexer` cuts the sentence into tokens (`lexicon`, `numbers`, `vocabulary`), `clauses` into thoughts, `linking` lets
neighbours lend each other verbs and amounts, `reading` and `circumstances` read them, `conflicts` checks the whole.
See docs/decisions/0005-goal-translation.md.
"""

from goals.translation.translator import translate

__all__ = ["translate"]
