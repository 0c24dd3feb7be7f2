"""What all who decode strangers' pictures need: a process that may die of it, and what decoders raise."""
