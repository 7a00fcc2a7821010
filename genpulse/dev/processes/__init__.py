"""The processes of a local stack: started, supervised, and never left behind."""
