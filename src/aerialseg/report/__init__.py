"""What people read after a run: tables and pages."""
