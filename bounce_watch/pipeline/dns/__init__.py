"""DNS at a bounce, until it is repaired, and daily: within limits of time and number."""
