"""`db` and `purge`."""
