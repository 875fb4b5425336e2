"""Read a report into a `Report`: RFC 3464, Exchange texts and others, with a module per format."""

from bounce_watch.parse.read import read
