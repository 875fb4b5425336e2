"""Questions about stored bounces: `history`, `show`, `stats`, `top`, `trend`, `person`, `domain`."""
