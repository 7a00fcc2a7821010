"""The branching model as a tool: branches, lanes, release candidates and releases of any git repository."""
