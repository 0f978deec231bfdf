"""The Manager's verbs: campaigns, approvals, safety, policy, journal."""
