"""One experiment of a paper a file: a module with a record `EXPERIMENT` is found by itself."""
