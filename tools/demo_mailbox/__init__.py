"""Writes the sample mailbox: one working week at a company that does not exist."""
