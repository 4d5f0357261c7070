"""What is wrong with a patch besides its form."""

from scheduling.errors import RuleBroken


class NotApplied(RuleBroken):
    """A patch that is well made and does not fit the resource."""

    code = "processing"
