"""From grey values to labels with probabilities, and how good they are."""
