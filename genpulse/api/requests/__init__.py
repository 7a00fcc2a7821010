"""Reading requests: headers, bodies, ranges and page cursors."""
