"""Listens to ImageAccepted, DuplicateFound, ImageRejected, ImageFailed, MockupsRendered, StoreFile, WorkCancelled.

Emits DesignStored, StorageFailed. Owns schema storage.
"""
