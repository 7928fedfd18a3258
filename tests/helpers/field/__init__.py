"""The data that people bring, in all combinations of what they differ in."""
