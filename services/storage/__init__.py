"""Listens to ImageAccepted, DuplicateFound, ImageRejected, ImageFailed, MockupsRendered, StoreFile.

Emits DesignStored, StorageFailed. Owns schema storage.
"""
