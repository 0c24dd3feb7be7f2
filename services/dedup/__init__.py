"""Listens to ImageHashed, DesignStored, DesignActivityChanged, StorageFailed, ImageFailed, WorkCancelled.

Emits ImageAccepted, DuplicateFound. Owns schema dedup.
"""
