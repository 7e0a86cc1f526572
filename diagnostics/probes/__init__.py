"""One probe a file; each defines `PROBE`. Nothing else needs to be told of a new one."""
