"""Files: brought, listed, and named in inputs."""
