"""Which of a tenant's pictures could make another one a duplicate: they are found here, and decided about elsewhere.

Two ways, as 256 bits do not bear cropping. hash_search asks PostgreSQL for equal bytes and near hashes, and for the
rows that key_search found: that has the short hashes (keys) of each tenant in memory. texture is what a pattern gets a
key of. hamming_index is how it finds the near ones among millions, binary_copy how it reads so many from PostgreSQL. Of
a family of hundreds, thumbnails tells whom to look at.
"""
