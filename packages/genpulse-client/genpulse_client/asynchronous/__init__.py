"""The async client. The package `synchronous` is made of this one."""
