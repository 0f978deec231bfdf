"""NOTIFICATIONS: what somebody outside the site is told of, by e-mail, signed webhook or chat message.

Takes: what happened, written in the transaction in which it happened; channels that a meta-user set up.
Gives: deliveries with their log.
Never: decides what happens next, or lets whoever reports wait for a receiver.
"""
