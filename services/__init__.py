"""One folder per service. Services never import each other."""
