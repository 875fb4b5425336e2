"""`demo`: the sample week."""
