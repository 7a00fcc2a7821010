"""Forms: as they are sent, with files, and made from the schema of a model."""
