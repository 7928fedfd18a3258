"""Labels that a network contradicts: the regions, their review, and what becomes of corrections."""
