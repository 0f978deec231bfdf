"""STUDENT: the memory service that is experimented on.

Takes: a query of a user and the parameters of the run from a provider.
Gives: an answer from the memories of that user alone, and a new memory.
Never: knows of goals, experiments or metrics.
"""
