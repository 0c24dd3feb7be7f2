"""Etsy for people: the commands, and what ingest's pages show and change. It composes what no service may know."""
