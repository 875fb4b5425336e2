"""Retention, purge and the audit log."""
