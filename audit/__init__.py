"""AUDIT: the append-only, hash-chained change log.

Takes: who did what to which subject, before and after, and why.
Gives: the log, its verification, the history of a parameter.
Never: changes or deletes a row; interprets what it records.
"""
