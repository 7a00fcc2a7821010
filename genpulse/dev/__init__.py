"""The whole stack on one machine, for `genpulse dev`, `genpulse demo` and the tests."""
