"""The guided tour: five minutes in the terminal, over the live broker, with links to its pages."""
