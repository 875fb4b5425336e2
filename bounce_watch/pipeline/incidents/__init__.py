"""Rules, alerts, chat and the all-clear."""
