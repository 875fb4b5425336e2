"""`explain`: a code, a reply, a file, or a stored bounce."""
