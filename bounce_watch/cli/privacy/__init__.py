"""`export` and `forget`."""
