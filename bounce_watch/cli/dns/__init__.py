"""`dns`: ask DNS about a domain, try an SPF record, list what DNS said before."""
