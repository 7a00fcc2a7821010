"""The four layers of settings: where each is read, and how they lie over each other."""
