"""Reads for the pages: a fixed number of queries each, whatever the amount of data."""
