"""Values against annotations: which fit, and how a message says that one does not."""
