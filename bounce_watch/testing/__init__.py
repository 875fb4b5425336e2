"""Hooks that tests set from outside: where to let the process die."""
