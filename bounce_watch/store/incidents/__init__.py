"""Incidents: their rows, their life, and all about one of them."""
