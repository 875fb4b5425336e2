"""Configuration (TOML) and secrets."""
