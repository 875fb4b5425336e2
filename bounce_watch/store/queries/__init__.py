"""Queries for users: history, digest, statistics, report page."""
