"""Templates, labels, local time and safe text, shared by everything we write."""
