"""The outbox: the queue, its queries, and pending replies that more bounces can join."""
