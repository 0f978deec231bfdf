"""ACCESS: who is at a door, and with which role.

Takes: a session user or a bearer token.
Gives: the `Actor` that services ask for its role; tokens, made and revoked.
Never: decides what a role may do; services do (`Actor.require`).
"""
