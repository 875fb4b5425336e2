"""Commands about what is stored of one person."""
