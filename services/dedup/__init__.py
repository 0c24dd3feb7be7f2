"""Listens to ImageHashed, DesignStored, DesignActivityChanged, StorageFailed, ImageFailed.

Emits ImageAccepted, DuplicateFound. Owns schema dedup.
"""
