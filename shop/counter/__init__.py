"""What lies at a counter and for whom, whatever it is; handing it over, taking that back, and taking off the shelf what nobody collects."""
