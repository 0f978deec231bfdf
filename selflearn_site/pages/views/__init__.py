"""Thin: read through selectors, call one service, show."""
