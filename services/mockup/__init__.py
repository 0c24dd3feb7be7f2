"""Listens to MockupsRequested. Emits MockupsRendered, MockupFailed. Owns nothing but a cache in memory."""
