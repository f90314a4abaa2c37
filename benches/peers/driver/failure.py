"""What can go wrong, with what to do about it."""


class Failure(Exception):
    """Ends the command: what happened, and how to fix it."""

    def __init__(self, what, fix=None):
        super().__init__(what)
        self.what = what
        self.fix = fix

    def __str__(self):
        return self.what if self.fix is None else f"{self.what}\nfix: {self.fix}"
