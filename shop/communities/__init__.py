"""Communities and their pick-up points: where somebody is, decides what can be had by when."""
