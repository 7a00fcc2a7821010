"""Files: named in arguments, and brought, whole or in parts."""
