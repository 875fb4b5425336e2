"""The outbox: the queue, its list, and replies that still wait for more."""
