"""One row of the bench a file: each has `measure(stack)`, which gives a `Result`."""
