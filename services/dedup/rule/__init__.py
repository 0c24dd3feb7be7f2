"""The rule: does a tenant have this picture already? All pure.

Read matching first: equal bytes decide, else pixels where they can be looked at, else the distance of the hashes.
known_picture is what is known of a picture that a tenant has, reasons why, in words.
"""
