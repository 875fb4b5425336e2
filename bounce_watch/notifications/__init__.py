"""What we write: the gate, replies to senders, alerts, the digest and the report page."""
