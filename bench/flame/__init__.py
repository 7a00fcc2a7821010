"""Where the processor time of a submit and of an attempt goes, by samples of running processes."""
