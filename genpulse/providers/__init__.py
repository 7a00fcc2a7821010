"""The plug-ins of ours, a folder a vendor, and the catalogue of all that are installed."""
