"""Standing phrases, which servers write whatever the reason is (RFC 5321 section 4.2.3, Postfix, Exim)."""

import re
from collections.abc import Iterator, Mapping
from functools import cached_property

from bounce_watch.unwrap.fast_patterns import KeywordGuardedPattern, folded


class StandingPhrases:
    """The phrases, each with what remains of it: `Sender address rejected` still speaks of the sender."""

    def __init__(self, phrases: Mapping[str, str]) -> None:
        self.phrases = dict(phrases)

    def __reduce__(self) -> tuple[type["StandingPhrases"], tuple[dict[str, str]]]:
        return StandingPhrases, (self.phrases,)

    @cached_property
    def _pattern(self) -> KeywordGuardedPattern:
        longest_first = sorted(self.phrases, key=len, reverse=True)
        return KeywordGuardedPattern("|".join(map(re.escape, longest_first)), re.IGNORECASE)

    def readings(self, text: str) -> Iterator[str]:
        """Yield a text without standing phrases, then the whole text."""
        if self.phrases and self._pattern.is_possible(folded(text)):
            yield self._pattern.pattern.sub(lambda found: f" {self.phrases[found[0].lower()]} ", text)
        yield text
