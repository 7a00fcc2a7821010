"""The command line: a file a verb group. Each is imported when it is used, so that help is there at once."""
