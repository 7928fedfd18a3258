"""Plain implementations that several benchmarks compare against."""
