"""Search of one user's memories: a strategy scores, `search` normalises, mixes with recency, cuts and explains."""
