"""How a message leaves: over HTTP or SMTP, within a time, to an address that may be asked."""
