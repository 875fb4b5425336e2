"""Explain a reading: which field and which rule gave each value."""
