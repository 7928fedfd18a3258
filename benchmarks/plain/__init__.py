"""The plain formulations that more than one script measures against."""
