"""`init`, `check` with its probe, and `calibrate`."""
