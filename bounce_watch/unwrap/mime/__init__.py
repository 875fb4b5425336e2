"""Bytes to a bounded MIME tree: headers, text, Outlook items."""
