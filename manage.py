#!/usr/bin/env python
"""Django's command line for Support Desk."""

import os
import sys
from importlib import import_module

#: What mail servers read in exit codes (sysexits.h): try again later, and that no message was given.
EX_TEMPFAIL, EX_DATAERR = 75, 65


def main() -> None:
    """Run the command. Django is imported here, because it may be missing in the middle of an upgrade."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import_module("django.core.management").execute_from_command_line(sys.argv)


def main_for_mail_server() -> None:
    """Run `receive_mail`: whatever goes wrong, Django's own start included, the mail server must keep the message (M5).

    Any other code than these would make it bounce.
    """
    try:
        main()
    except SystemExit as error:
        if error.code in (0, None, EX_DATAERR):
            raise
    except BaseException as error:
        sys.stderr.write(f"Not taken, to be tried again: {type(error).__name__}: {error}\n")
    else:
        return
    sys.exit(EX_TEMPFAIL)


if __name__ == "__main__":
    if sys.argv[1:2] == ["receive_mail"] and not {"-h", "--help"} & set(sys.argv):
        main_for_mail_server()
    else:
        main()
