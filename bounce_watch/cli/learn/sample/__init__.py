"""A redacted copy of a bounce to contribute: rebuilt from our own reading, with names replaced."""
