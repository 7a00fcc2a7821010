"""Speech and music as WAV files."""
