"""Etsy as a target: its calls, their rate, the connections of shops, and what was chosen for each."""
