"""Comparing the variations of a study: figures of each, tests between them, curves over seeds."""

from experiments.comparison.comparison import Comparison, of
from experiments.comparison.words import WIDTH, Table, aligned, sentences, tables

__all__ = ["WIDTH", "Comparison", "Table", "aligned", "of", "sentences", "tables"]
