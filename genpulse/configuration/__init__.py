"""How the settings come to be: where they are read, how they lie over each other, what is wrong with them."""
