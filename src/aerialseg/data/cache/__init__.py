"""What is computed once and kept: class counts, masks in memory, features."""
