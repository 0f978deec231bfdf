"""Several programs kept running by one: what `manage.py up` does on one machine."""
