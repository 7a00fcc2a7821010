"""Files of this machine: the folder of a store, and where streams wait."""
