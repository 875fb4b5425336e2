"""Engine, sessions, locks and migrations; no table is known here."""
