"""Replies to our own messages: who may answer, what it does, and whom it reaches."""
