"""From samples to batches: files, order, loaders and their worker processes."""
