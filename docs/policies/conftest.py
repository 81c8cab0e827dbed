"""The scripts of these pages import each other by their file names."""
# ruff: noqa: INP001 - found by pytest by its path

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
