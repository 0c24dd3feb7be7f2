"""Listens to each verdict, MockupsRendered, StoreFile. Emits DesignStored, StorageFailed. Owns schema storage."""
