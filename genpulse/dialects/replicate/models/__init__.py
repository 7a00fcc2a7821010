"""Models, their versions and schemas, collections of them, and deployments."""
