"""What can be bought: categories, products with variants and prices, the listing that pages read, and search.

A listing row is the public face of a product; `operations.refresh_listing` rewrites it whenever something it shows has
changed, in the same transaction. What is left in stock is never copied: pages join it.
"""
