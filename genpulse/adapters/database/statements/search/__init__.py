"""SQL that finds, counts and adds up the tasks that fit a filter."""
