"""Etsy for people: the commands that connect and set up a shop, and what ingest's pages show and change of that.

It composes what no service may know. Who calls Etsy is `services/publisher/etsy`; the stand-in is `services/etsy_fake`.
The commands are `commands`, with `showing` (what they print) and `callback` (the way back from Etsy's consent page).
The pages are `front`. Both ask `accounts` what ingest's tables have.
"""
