"""Find, export and erase what is stored about one person."""
