"""Listens to MockupsRendered, WorkCancelled. Emits ListingPublished, ListingFailed. Owns schema publisher."""
