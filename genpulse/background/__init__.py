"""What runs beside the work of a process, for as long as the process lives."""
