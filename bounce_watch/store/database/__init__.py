"""Engine, sessions, locks and migrations; independent of the tables."""
