"""Reads the bounces of an Exchange Online organization and tells who must act, and how."""

__version__ = "0.1.0"
