"""What somebody means to buy: by merchant and day, with what has changed since. A cart holds nothing back for anybody."""
