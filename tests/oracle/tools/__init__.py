"""What each tool must answer, one module per tool, named as the tool is."""
