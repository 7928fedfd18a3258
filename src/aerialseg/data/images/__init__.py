"""Files to uint8 arrays, safely."""
