"""Reads the bounces of an Exchange Online organisation and tells who must act, and how."""

__version__ = "0.1.0"
