"""Writing responses: encoded JSON, streams and their headers."""
