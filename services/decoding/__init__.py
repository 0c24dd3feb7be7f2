"""What all who decode strangers' pictures need: a process that may die of it, what decoders raise, and what
Pillow does not heed in PNGs."""
