"""The Test Runner: plays scripted dialogues against the student as any client would, and says what held.

`scripts` reads and writes the dialogues, `sessions` plays them, `validation` looks for the expected word, `selectors`
reads. One playing is a session: each scenario in it has a synthetic user and a thread of its own.
"""
