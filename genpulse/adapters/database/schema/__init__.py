"""Tables and migrations, and the environment a database belongs to."""
