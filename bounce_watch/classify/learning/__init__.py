"""Learn new words: mask replies, group those that are not understood, make rows of them, try them."""
