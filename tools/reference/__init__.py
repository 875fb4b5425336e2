"""What the reference pages, the manual and the completions are written from: the models and the commands."""
