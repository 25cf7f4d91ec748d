"""Pictures and a page from one results.json. Nothing here computes a figure that a reader will see as a number."""
