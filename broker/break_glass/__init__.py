"""Use case 5: break-glass (værdispring). Ask those who hold the data in danger to life; they decide."""
