"""What the product reports."""
