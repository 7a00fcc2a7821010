"""Routes: several models for one order, tried one after the other where that is safe about money."""
