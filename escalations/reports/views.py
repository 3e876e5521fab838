"""The read-only views from which reports are reckoned; their columns are described in docs/reports.md.

No migration makes them: `migrate` drops them before it changes any table and makes them anew when every migration is
applied, so that a later migration may alter what they read (decision 16). On PostgreSQL whoever may read them may do
so afterwards as well.
"""

from __future__ import annotations

from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor

#: Seconds since 1970 of a moment that is cut to the second, as `cases.models.case.seconds_between` reckons.
_SECONDS = {
    "postgresql": "CAST(floor(extract(epoch FROM {0})) AS bigint)",
    "sqlite": "CAST(strftime('%s', substr({0}, 1, 19)) AS INTEGER)",
}

#: Of a contact `i`: whether it counts as one, and whether the customer heard from us by it, as
#: `Interaction.tells_customer` says.
_COUNTS = "i.withdrawn_at IS NULL AND NOT (i.direction = 'internal')"
_TELLS = f"""{_COUNTS} AND NOT i.opened_the_case AND i.undelivered_at IS NULL AND i.with_customer
    AND ((i.direction = 'out' AND NOT (i.outcome = 'no_answer'))
         OR (i.direction = 'in' AND i.channel IN ('phone', 'chat')))"""

#: The keys by which every row is narrowed and grouped. LEFT: PostgreSQL leaves out a join that nobody asked for.
_KEYS = "c.company_id AS company_id, c.owner_id AS owner_id, t.centre_id AS centre_id, c.severity AS severity"
_TECHNICIAN = "LEFT JOIN contacts_technician AS t ON t.user_id = c.owner_id"
_OF_CASE = f"LEFT JOIN cases_case AS c ON c.id = %(row)s.case_id {_TECHNICIAN}"

VIEWS = {
    "report_cases": f"""
        SELECT c.id AS case_id, {_KEYS},
               o.name AS company,
               CASE WHEN u.id IS NOT NULL
                    THEN COALESCE(NULLIF(TRIM(u.first_name || ' ' || u.last_name), ''), u.username) END AS owner,
               s.name AS centre,
               c.status AS status, c.resolution AS resolution, c.opened_by_channel AS came_in_by,
               c.sla_counts_from IS NOT NULL AS is_imported,
               c.opened_at AS opened_at, COALESCE(c.called_at, c.opened_at) AS counts_from,
               c.resolved_at AS resolved_at,
               {{answered}} AS first_response_at,
               {{response}} AS first_response_seconds,
               {{resolution}} AS resolution_seconds,
               c.waited_seconds AS waited_seconds,
               {{resolution}} - c.waited_seconds AS worked_seconds,
               (SELECT COUNT(*) FROM cases_interaction AS i WHERE i.case_id = c.id AND {_COUNTS}) AS contacts,
               c.reopenings AS reopenings
        FROM cases_case AS c
        LEFT JOIN contacts_company AS o ON o.id = c.company_id
        LEFT JOIN contacts_user AS u ON u.id = c.owner_id
        {_TECHNICIAN}
        LEFT JOIN contacts_supportcentre AS s ON s.id = t.centre_id""",
    "report_contacts": f"""
        SELECT i.id AS contact_id, i.case_id AS case_id, {_KEYS},
               i.channel AS channel, i.direction AS direction, i.at AS at, COALESCE(i.resent_at, i.at) AS told_at,
               {_TELLS} AS tells_customer, {_COUNTS} AS counts
        FROM cases_interaction AS i {_OF_CASE % {"row": "i"}}
        WHERE NOT (i.direction = 'internal')""",
    "report_promises": f"""
        SELECT p.id AS promise_id, p.case_id AS case_id, {_KEYS},
               p.kind AS kind, p.member AS owed_to, p.since AS counts_from, p.due_at AS due_at, p.ended_at AS ended_at,
               p.outcome AS outcome
        FROM escalations_slatarget AS p {_OF_CASE % {"row": "p"}}""",
    "report_escalations": f"""
        SELECT e.id AS escalation_id, e.case_id AS case_id, {_KEYS},
               e.severity AS point_severity, e.number AS point_number, e.due_at AS due_at, e.done_at AS done_at
        FROM escalations_escalation AS e {_OF_CASE % {"row": "e"}}
        WHERE e.carried_out""",
    "report_reopenings": f"""
        SELECT r.history_id AS reopening_id, r.id AS case_id, {_KEYS},
               c.opened_at AS opened_at, r.since AS resolved_at, r.at AS reopened_at
        FROM (
            SELECT turns.*, LAG(turns.at) OVER (PARTITION BY turns.id ORDER BY turns.at, turns.history_id) AS since
            FROM (
                SELECT h.history_id, h.id, h.history_date AS at, h.status,
                       LAG(h.status) OVER (PARTITION BY h.id ORDER BY h.history_date, h.history_id) AS before
                FROM cases_historicalcase AS h
                WHERE h.id IN (SELECT reopened.id FROM cases_case AS reopened WHERE reopened.reopenings > 0)
            ) AS turns
            WHERE (turns.status = 'resolved') <> (turns.before = 'resolved')
        ) AS r JOIN cases_case AS c ON c.id = r.id {_TECHNICIAN}
        WHERE r.status <> 'resolved'""",
}


def seconds_sql(moment: str, vendor: str) -> str:
    """The seconds since 1970 of a column with a moment, cut to the second."""
    return _SECONDS["postgresql" if vendor == "postgresql" else "sqlite"].format(moment)


def view_sql(name: str, vendor: str) -> str:
    """The query of a view on a database."""
    since, told_at = seconds_sql("COALESCE(c.called_at, c.opened_at)", vendor), "COALESCE(i.resent_at, i.at)"
    first = f"(SELECT MIN({{}}) FROM cases_interaction AS i WHERE i.case_id = c.id AND {_TELLS})"
    parts = {
        "answered": first.format(told_at),
        "response": f"{first.format(seconds_sql(told_at, vendor))} - {since}",
        "resolution": f"{seconds_sql('c.resolved_at', vendor)} - {since}",
    }
    sql = VIEWS[name]
    for part, expression in parts.items():
        sql = sql.replace("{" + part + "}", f"({expression})")
    return sql


def make_views(connection: BaseDatabaseWrapper) -> None:
    """Make every view that is missing."""
    there = {table.name for table in connection.introspection.get_table_list(connection.cursor())}
    with connection.cursor() as cursor:
        for name in VIEWS:
            if name not in there:
                cursor.execute(f"CREATE VIEW {name} AS {view_sql(name, connection.vendor)}")


def drop_views(connection: BaseDatabaseWrapper) -> None:
    """Drop every view."""
    with connection.cursor() as cursor:
        for name in VIEWS:
            cursor.execute(f"DROP VIEW IF EXISTS {name}")


# --- around migrations --------------------------------------------------------------------------------------------

#: Who could read the views before the migrations that are under way, by the name of the database connection.
_before: dict[str, list[tuple[str, str]]] = {}


def before_migrations(using: str, **about: Any) -> None:
    """Drop the views before tables are altered."""
    connection = connections[using]
    _before[using] = _readers(connection)
    drop_views(connection)


def after_migrations(using: str, **about: Any) -> None:
    """Make the views once all tables are what they read; a desk that is taken back to an older version has none."""
    connection = connections[using]
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        return
    make_views(connection)
    _let_read(connection, _before.pop(using, []))


def _readers(connection: BaseDatabaseWrapper) -> list[tuple[str, str]]:
    """(view, role) of everybody but its owner who may read a view."""
    if connection.vendor != "postgresql":
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, grantee FROM information_schema.role_table_grants "
            "WHERE table_schema = current_schema() AND privilege_type = 'SELECT' AND table_name = ANY(%s) "
            "AND grantee <> current_user",
            [list(VIEWS)],
        )
        return cursor.fetchall()


def _let_read(connection: BaseDatabaseWrapper, readers: list[tuple[str, str]]) -> None:
    with connection.cursor() as cursor:
        for view, role in readers:
            who = "PUBLIC" if role == "PUBLIC" else connection.ops.quote_name(role)
            cursor.execute(f"GRANT SELECT ON {view} TO {who}")
