"""SITE: settings, database boot, doors and the assembly of all rooms.

Takes: the environment; people and programs at the doors.
Gives: one process per role (`web`, `worker`, `orchestrator`, `sensor`), pages, API, admin.
Never: decides anything of the domain; every door calls a service.
"""
