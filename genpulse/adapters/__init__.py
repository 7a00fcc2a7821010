"""The world outside: one implementation of one port a file."""
