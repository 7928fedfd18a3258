"""What the training tasks share: building, hardware, feature cache, forecast, outcome."""
