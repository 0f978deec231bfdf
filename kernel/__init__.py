"""Ground floor: errors, lifecycle tables, canonical JSON and stable hashes. Knows no Django and no other room."""
