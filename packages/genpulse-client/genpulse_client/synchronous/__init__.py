"""The sync client, made from the package `asynchronous` by `make_synchronous.py`."""
