"""Raw bytes to the report inside: bounded MIME reader, journal envelope, forwards."""
