"""Networks for other runtimes, each with the measured proof that it says the same."""
