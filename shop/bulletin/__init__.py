"""What the community has to say: notices for one community or the whole city, written by one person and published by another."""
