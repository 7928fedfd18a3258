"""Pages that open offline in a browser: one HTML file each, with everything inside."""
