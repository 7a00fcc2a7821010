"""Text from outside: made storable, host names, beginnings of ids."""
