"""Listens to ImageHashed, DesignStored, StorageFailed, ImageFailed. Emits ImageAccepted, DuplicateFound. Owns dedup."""
