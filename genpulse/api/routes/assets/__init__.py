"""The routes of assets, and by which they are brought."""
