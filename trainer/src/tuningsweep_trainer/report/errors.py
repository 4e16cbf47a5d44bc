"""Why a report can't be written."""


class ReportError(Exception):
    """The message says what is missing and what to do."""
