"""Incident logs of other systems: read a file, import it as cases, or hand its incidents to the replay.

This module is the door for commands:

* `read_file` reads a ServiceNow export (CSV or .xlsx) into a `Log` and raises CommandError with a sentence;
  `add_reading_options` and `reading_options` are the options by which people help it.
* `import_log` writes the incidents of a log as cases, with `ImportOptions` for what the log does not say; `preview`
  says what it would write.
* The functions that end in `_lines` say what was read and what was not.

Pure code, such as the policies, takes `Incident` and `read_log` from `cases.incidents.log`, which needs no Django.
"""

from cases.incidents.file import read_file
from cases.incidents.importing import Imported, ImportOptions, import_log
from cases.incidents.log import YEARS, BadRow, Log
from cases.incidents.options import add_reading_options, reading_options
from cases.incidents.preview import preview_lines
from cases.incidents.report import bad_row_lines, doubt_lines, held_back_lines, limit_of, rows

__all__ = [
    "YEARS",
    "BadRow",
    "ImportOptions",
    "Imported",
    "Log",
    "add_reading_options",
    "bad_row_lines",
    "doubt_lines",
    "held_back_lines",
    "import_log",
    "limit_of",
    "preview_lines",
    "read_file",
    "reading_options",
    "rows",
]
