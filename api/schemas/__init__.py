"""What comes in, one module per noun; what goes out are the frozen values of queries and actions."""
