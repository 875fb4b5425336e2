"""Guidance for colleagues whose mail bounced, and the draft to a recipient's postmaster."""
