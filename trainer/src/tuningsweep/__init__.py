"""What users import in their own training code."""
