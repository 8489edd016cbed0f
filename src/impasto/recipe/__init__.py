"""What a person can ask for: every option, its default and its limits; standard library only."""
