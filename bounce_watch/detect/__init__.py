"""Rule shapes over sliding windows of events."""
