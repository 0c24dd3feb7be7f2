"""Listens to ImageHashed, DesignStored, DesignActivityChanged, StorageFailed, WorkCancelled.

Emits ImageAccepted, DuplicateFound. Owns schema dedup.
"""
