"""HYPOTHESES: the registry of what was supposed, tested and learnt.

Takes: hypotheses of the Teacher and their outcomes.
Gives: the map of what is already known.
Never: invents a hypothesis.
"""
