"""Who the people of the tests are: words that no log may hold, in whatever shape they get there.

What has a shape of its own (addresses, telephone numbers, tokens) is found by it: tests/leaks.py.
"""

NAME = "Annquill"
BIRTHDAY = "1931-04-17"
PASSWORD = "correct horse"  # of nobody
# Where people call from (RFC 5737, for documents): staff sees it, a log does not.
HOME, WORK = "192.0.2.7", "198.51.100.9"

ALL = (NAME, BIRTHDAY, PASSWORD, HOME, WORK)
