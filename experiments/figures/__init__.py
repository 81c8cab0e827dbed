"""Pictures of a comparison: convergence bands, run lengths, and what the settings do."""

from experiments.figures.changes import has_settings, settings
from experiments.figures.curves import bands, both, profiles
from experiments.inline_svg import svg

__all__ = ["bands", "both", "has_settings", "profiles", "settings", "svg"]
