"""Learn in the open: what is not understood, teaching it, and judging the past again."""
