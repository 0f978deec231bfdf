"""What the site itself shows in the admin: people, background tasks, and prompts (which it audits for the student)."""

from selflearn_site.admin import people, prompts, tasks

__all__ = ["people", "prompts", "tasks"]
