"""The report as one HTML page for a browser or for print."""
