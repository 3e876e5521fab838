"""What the search reads: a document for each case, in a table of its own (decision 13)."""

from __future__ import annotations

from django.db import models

from cases.models.case import Case


class SearchDocument(models.Model):
    """The words of one case, folded, each once; `cases.search` writes and reads them.

    On PostgreSQL the table has further columns `vector` and `company_id` with a GIN index of both, on SQLite an FTS5
    table follows it. The database itself fills them, from `words` and from the case, whose company never changes.
    Migrations 17 and 41 make them; one that remakes this table has to make them anew.
    """

    case = models.OneToOneField(Case, on_delete=models.CASCADE, primary_key=True, related_name="search_document")
    words = models.TextField()

    def __str__(self) -> str:
        return f"Words of case {self.case_id}"


class UnindexedCase(models.Model):
    """A case whose search document has to be made anew: it is found by its old words, or by its number only."""

    case = models.OneToOneField(Case, on_delete=models.CASCADE, primary_key=True, related_name="+")

    def __str__(self) -> str:
        return f"Case {self.case_id} waits to be indexed"
