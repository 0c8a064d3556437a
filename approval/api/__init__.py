"""The approval side over HTTP: what `approval evaluate` prints, for programs and for a clerk's browser."""
