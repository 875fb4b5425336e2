"""Messages, their reports and bounces, and the quarantine."""
