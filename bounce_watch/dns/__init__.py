"""Questions to DNS about a domain or an address, each answered with a finding; without the store."""
