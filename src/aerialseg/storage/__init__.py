"""Files that are never lost or half-written: checkpoints, run folders and what they need."""
