"""One task, or one for each row of a file, from its words to its file."""
