"""The operators' view of the whole: what runs, what failed, who did what."""
