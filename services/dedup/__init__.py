"""Listens to ImageHashed, DesignStored, DesignActivityChanged, StorageFailed, WorkCancelled, \
PictureHashed, PicturesGone.

Emits ImageAccepted, DuplicateFound. Owns schema dedup.
"""
