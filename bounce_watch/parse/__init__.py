"""A report's bytes to a Report (RFC 3464, Exchange bodies, one file a format)."""

from bounce_watch.parse.read import read

__all__ = ["read"]
