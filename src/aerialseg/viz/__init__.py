"""Pictures people want to look at: colours, sheets, confusion matrices."""
