"""Assets, the files that callers brought, and thumbnails."""
