"""What an address of a server means, and what is wrong with it, before anybody goes there."""
