"""What operators do from the command line: each file is one command."""
