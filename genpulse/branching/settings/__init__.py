"""The file `.flow.toml`: what it may say, and which of its versions counts."""
