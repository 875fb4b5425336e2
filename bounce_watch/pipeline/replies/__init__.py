"""Guidance for one report: its facts, its gate, merging what waits."""
