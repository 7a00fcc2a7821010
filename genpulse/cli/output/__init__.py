"""What commands show: tables, progress, moments, and where files go."""
