"""The gate: checks whether a message may be written. All messages that leave pass it."""
