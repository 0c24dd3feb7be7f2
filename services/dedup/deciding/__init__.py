"""Verdicts on a tenant's pictures: which one is the original, and what is decided anew when that one goes.

Read judge first, and the example at its top: an earlier copy becomes the original although a later one was hashed
sooner. It takes one picture after the other from cases (all that the verdict depends on, read for several at once).
second_look shows the rule the pixels of candidates, from the blob store.
"""
