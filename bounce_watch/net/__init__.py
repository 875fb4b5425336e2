"""What any connection needs: TLS, tokens, slow servers, and what a server's refusal means for the admin."""
