"""One file a format of report; their order is the tuple FORMATS."""
