"""The repairs, one per file. Nothing lists them: the folder is the registry."""
