"""The outbox: the way in through the gate, and the way out to the server."""
