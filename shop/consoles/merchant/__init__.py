"""A merchant's back office: what to pack, what there is, what it costs, what is owed."""
