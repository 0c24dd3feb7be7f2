"""Listens to ImageAccepted, DuplicateFound, ImageRejected, ImageFailed, MockupsRendered, StoreFile, WorkCancelled, \
ShopScanRequested, PictureHashed.

Emits DesignStored, StorageFailed, PictureFound, PicturesGone. Owns schema storage.
"""
