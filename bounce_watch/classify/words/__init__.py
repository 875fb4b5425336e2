"""What the words of a reply say: cleaned text, concepts that stand together, codes of providers."""
