"""Messages, their reports and bounces, quarantine and cursors."""
