"""The rules of the branching model as pure values: branches, names, versions, merges."""
