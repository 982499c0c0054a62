"""Forms on pages: a form's questions as fields of HTML, and what was filled in as answers."""
