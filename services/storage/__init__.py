"""Listens to ImageAccepted, DuplicateFound, ImageRejected, ImageFailed, MockupsRendered, StoreFile, WorkCancelled, \
ShopScanRequested, PictureHashed.

Emits DesignStored, StorageFailed, ImageAccepted, PictureFound, PicturesGone, ShopScanRequested. Owns schema storage.
"""
