"""How fast Presswork is: `make bench`. Its figures are in docs/performance.md, which it writes.

`rows.py` lists what is measured and what is asked of it; each other module measures what its name says.
"""
