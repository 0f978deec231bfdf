"""TEACHER: metrics, judges, design, statistics, recommendations.

Takes: what the Sensor recorded, the goal, the history.
Gives: metrics, hypotheses, experiment specs, verdicts, recommendations.
Never: writes a parameter, starts a run, reads MaaS, talks to the meta-user.
"""
