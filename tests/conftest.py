"""Fixtures for all rooms: real servers."""

pytest_plugins = ["tests.servers.fixtures"]
