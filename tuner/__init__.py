"""TUNER: the only writer of parameters.

Takes: change proposals with their evidence.
Gives: versions, activation, rollback, the effective parameters of a run; refusals with stable codes.
Never: has an idea of its own, calls a model, measures quality.
"""
