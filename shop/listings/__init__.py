"""Making what is for sale: pictures, drafts, what is said of goods and their sizes, and when they appear."""
