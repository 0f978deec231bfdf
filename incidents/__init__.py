"""INCIDENTS: what went wrong, since when, what was done.

Takes: a signal of any role.
Gives: open incidents for the Manager and the meta-user.
Never: acts on an incident itself.
"""
