"""From the bytes of a message to the report inside: MIME tree, journal envelopes, forwards."""

from bounce_watch.unwrap.envelopes import candidates, unwrap
from bounce_watch.unwrap.found_report import FoundReport
from bounce_watch.unwrap.mime.headers import Headers, addresses, read_headers
from bounce_watch.unwrap.mime.tree import Part, parse
