"""Replies to colleagues: written from one report, merged while they wait, previewed."""
