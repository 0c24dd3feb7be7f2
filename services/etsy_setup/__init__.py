"""Etsy for people: the commands that connect and set up a shop, and what ingest's pages show and change of that.

It composes what no service may know. Who calls Etsy is `services/publisher/etsy`; the stand-in is `services/etsy_fake`.
"""
