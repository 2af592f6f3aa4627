"""Characters drawn from a description in words."""
