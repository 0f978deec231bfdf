"""Benchmarks that anyone can rerun: `make bench`, or `manage.py bench NAME …`. Ratios say more than times here."""
