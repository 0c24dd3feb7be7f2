"""What operators do from the command line; each file says what for. Services don't know it."""
