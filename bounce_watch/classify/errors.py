"""Faults of this room: only the files that people write can be wrong, never a report."""


class CatalogueError(ValueError):
    """A row of the catalogue cannot be used; the message names the row and the repair."""
