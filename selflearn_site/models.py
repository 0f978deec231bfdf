"""No tables: the site owns none. Django sends `pre_migrate`, where grants are set, only to apps that have this file."""
