"""Upload sessions: what was sent, what became of each file, and the events that tell it."""
