"""What data sets hold: their samples, splits, windows and classes; one set or several."""
