"""The sandbox retailers: the four sites on localhost, over one world whose prices are known.

``world`` is what the shelves really say; ``generated`` and ``recorded`` are its two kinds; ``coles``,
``woolworths``, ``aldi`` and ``iga`` each say it in the retailer's own dialect; ``serve`` puts them
behind one port; ``verify`` compares a warehouse with the truth, row by row.
"""
