"""The catalogue of codes: rows of `data/codes.toml`, loaded, checked and looked up."""
