"""`init`, `check`, `calibrate` and the probe."""
