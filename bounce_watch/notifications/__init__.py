"""What we write: the gate, guidance, alerts, digest."""
