"""Print what pyproject.toml needs, development tools included, one requirement per line."""

import pathlib
import sys
import tomllib

project = tomllib.loads((pathlib.Path(__file__).resolve().parent.parent / "pyproject.toml").read_text())["project"]
sys.stdout.write("\n".join([*project["dependencies"], *project["optional-dependencies"]["dev"], ""]))
