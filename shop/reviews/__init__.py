"""What people say of what they collected: reviews with follow-ups and answers, what is reported, and what it comes to for each product."""
