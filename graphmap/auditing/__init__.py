"""What a stranger's artifact could do when it is run or loaded, found without doing it."""
