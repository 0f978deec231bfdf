#!/usr/bin/env python
"""The door to every command; errors become one clear line (see `selflearn_site/cli.py`)."""

from __future__ import annotations

import sys

from selflearn_site.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv))
