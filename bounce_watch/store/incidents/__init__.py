"""Incidents: opening, growth, changes by admins, and details."""
