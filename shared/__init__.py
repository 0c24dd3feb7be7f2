"""What two or more services use and that names no business verb. Knows no service."""
