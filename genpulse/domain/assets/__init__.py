"""Assets, their thumbnails, and leave to bring one."""
