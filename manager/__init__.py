"""MANAGER: closes the loop.

Takes: goals, verdicts, signals, decisions of the meta-user.
Gives: cycles, approvals, applied changes, rollbacks, reports, a journal of decisions.
Never: computes a metric, invents a hypothesis, writes a parameter, reaches into MaaS.
"""
