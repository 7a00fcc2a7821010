"""What the bytes of a file are: media type, dimensions and duration."""
