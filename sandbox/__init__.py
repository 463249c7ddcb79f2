"""The sandbox retailers: the four sites on localhost, over one world whose prices are known.

``world`` holds the true shelf data; ``generated`` and ``recorded`` are its two kinds; ``coles``,
``woolworths``, ``aldi`` and ``iga`` serve it in the retailer's own format; ``serve`` puts them
behind one port; ``verify`` compares a warehouse with the truth, row by row.
"""
