"""The content: question banks and exercises, as frozen types, with errors that name the line."""
