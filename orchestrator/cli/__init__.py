"""One verb a file: arguments, one call, an exit code."""
