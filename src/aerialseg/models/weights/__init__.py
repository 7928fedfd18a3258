"""Published weights and files of weights: finding, reading, matching, transfer between stages."""
