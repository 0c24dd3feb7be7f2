"""Listens to ImageHashed, DesignStored, DesignActivityChanged, StorageFailed, WorkCancelled, PairJudged, \
PictureHashed, PicturesGone.

Emits ImageAccepted, DuplicateFound. Owns schema dedup.
"""
