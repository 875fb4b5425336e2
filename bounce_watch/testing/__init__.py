"""Hooks for tests of a running process."""
