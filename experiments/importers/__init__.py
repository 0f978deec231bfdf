"""Dialogue files into memories and questions. One module per format; each says what it took and what it skipped."""
