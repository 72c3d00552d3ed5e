"""What all pages share: templates, words in Danish and English, dates as people write them, errors as plain pages."""
