"""How right the verdicts on duplicates are: `make accuracy`, on real drawings. Not a test; it prints figures."""
