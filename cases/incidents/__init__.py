"""Incident logs of other systems: read a file, import it as cases, or hand its incidents to the replay.

This module is the door for commands:

* `read_file` reads a ServiceNow export into a `Log` and raises CommandError with a sentence; `bad_row_lines` lists
  the rows that were skipped.
* `import_log` writes the incidents of a log as cases, with `ImportOptions` for what the log does not say.

Pure code, such as the policies, takes `Incident` and `read_log` from `cases.incidents.log`, which needs no Django.
"""

from cases.incidents.file import bad_row_lines, read_file
from cases.incidents.importing import Imported, ImportOptions, import_log
from cases.incidents.log import YEARS, Log

__all__ = ["YEARS", "ImportOptions", "Imported", "Log", "bad_row_lines", "import_log", "read_file"]
