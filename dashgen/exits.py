"""Exit codes: the one table that every command, test and page of documentation reads."""

from enum import IntEnum


class Exit(IntEnum):
    """What the exit code of a command means; `meaning` is the sentence users see."""

    meaning: str

    def __new__(cls, code: int, meaning: str) -> "Exit":
        """Make a member of its code and what it means."""
        member = int.__new__(cls, code)
        member._value_ = code
        member.meaning = meaning
        return member

    OK = 0, "done; nothing to say"
    FINDINGS = 1, "findings, differences (`--check`, `plan`, `drift`), or conflicts that `push` left alone"
    USAGE = 2, "the input or the command line is wrong"
    REFUSED = 3, "a remote refused who we are"
    PARTIAL = 4, "some of it was pushed, some was not; the summary says which"
    UNREACHABLE = 5, "a remote could not be reached, or what answered there is not what it should be"
    STOPPED = 130, "stopped by Ctrl-C; of a push the summary says what was done and what is left"
