"""One file per task, each with one public function."""
