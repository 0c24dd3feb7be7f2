"""What operators look at: dead letters."""
