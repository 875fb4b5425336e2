"""Questions that people ask: history, digest, summary, report page."""
