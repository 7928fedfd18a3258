"""What docs/config.md is made from, and how it is written."""
