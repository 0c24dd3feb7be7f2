"""Etsy as a shop of the publisher.

shop                    what `services.publisher.shop.Shop` asks for, in calls to Etsy
client, calls, answers  one call: in its turn, checked against our schema, its answer read; words: a refusal in Etsy's
limiter                 how often all processes together may call
connections, sealing    whose shop is connected, with which tokens; oauth, connecting: how it comes to be
choosing, options       what listings take from the shop (shipping profile ...), and what there is to choose from
activating, plan        publishing drafts, for a fee; what a batch will cost
wiring, tables          all of it from the settings; its rows
"""
