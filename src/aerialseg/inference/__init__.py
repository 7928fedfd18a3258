"""From a checkpoint alone to masks."""
