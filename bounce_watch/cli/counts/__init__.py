"""`stats`, `top` and `trend`."""
