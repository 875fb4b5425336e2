"""Enqueue, deliver, and look for mail whose sending was cut short."""
