"""Listens to MockupsRendered. Emits ListingPublished, ListingFailed. Owns schema publisher."""
