"""The engine of a campaign: one leased, resumable step at a time."""
