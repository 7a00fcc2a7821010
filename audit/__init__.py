"""Whether anything that GenPulse is locked to has a known vulnerability: `make audit`."""
