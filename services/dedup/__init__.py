"""Listens to ImageHashed, DesignStored, DesignActivityChanged, StorageFailed, WorkCancelled, PairJudged, \
PictureHashed, PicturesGone.

Emits ImageAccepted, DuplicateFound. Owns schema dedup.

What is in it, from the bottom up; each uses only those above it here. The docstrings of the packages say more:

pixels       what two pictures are to each other, by their pixels: a copy, a variant, or nothing. Pure
rule         whether a picture is a duplicate, by what is known of others, and the reason in words. Pure
tables       the tables; the packages below read and write their rows
records      the rows as they come to be: verdicts, claims, what people said, what the NAS and the old system have
candidates   which of the known pictures are worth a look: near by their hashes, or by short hashes that bear cropping
deciding     which picture is the original: the rule applied to candidates, and again when an original is gone
store        all of it as one index, in which a tenant has one decision at a time; what the handlers call
preview      what another distance would change; for the command and the API, as no message asks for it

To follow one picture, read `handlers.on_image_hashed`, `store.HashIndex.decide_once` and `deciding.judge`, then
`rule.matching`. How duplicates are told apart, and how well: docs/duplicates.md.
"""
