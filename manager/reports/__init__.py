"""Reports that a person reads who was not there: content as data, then Markdown, HTML or terminal text."""
