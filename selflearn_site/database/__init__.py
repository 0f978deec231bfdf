"""Where the two databases come from: an embedded PostgreSQL or a server, with the same roles on both."""
