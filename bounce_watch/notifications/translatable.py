"""Mark a text that stands in a table and is translated where it is used: Babel collects what N_ marks."""

N_ = str
