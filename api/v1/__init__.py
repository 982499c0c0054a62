"""The JSON API of the people's side: one module per noun, one declaration per verb."""
