"""All reads, scoped in SQL to what the actor may see."""
