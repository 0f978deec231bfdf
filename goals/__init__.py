"""GOALS: learning goals, campaigns, targets, constraints, autonomy; translation of a sentence into them.

Takes: a sentence in Russian or English, and the metric and factor registries as values.
Gives: formal targets and constraints with assumptions, what was unread, and conflicts.
Never: starts anything.
"""
