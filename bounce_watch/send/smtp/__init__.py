"""SMTP: one connection, replies, and what they mean for the outbox."""
