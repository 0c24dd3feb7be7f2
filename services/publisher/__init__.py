"""Listens to MockupsRendered, WorkCancelled. Emits ListingPublished, ListingFailed. Owns schema publisher.

What is in it, from the bottom up:

listing, limits      what a listing says; what Etsy takes of it, which the dry run obeys, too
shop                 what a place to list at must be able to do, and the ways in which it says no
store, lock          the ledger: what became of each listing; who may write to a shop
publishing           THE way of one listing, step by step, each on record before the next
dry_run              a folder as a shop; preview, listings_csv: what lies in it for people; encoding: Etsy's request
etsy                 Etsy as a shop

To follow one listing, read `handlers`, `publishing.list_once`, and `etsy/shop.py`. Why: docs/decisions/0009-etsy.md.
"""
