"""One file per task; each says in which order things happen."""
