"""How many open cases each owner has is kept by the database itself: counting a million took 50 ms a page."""

from django.db import migrations, models

COUNT = """
INSERT INTO cases_loadentry (owner_id, severity, cases)
SELECT owner_id, severity, {count} FROM {cases}
WHERE status <> 'resolved' AND owner_id IS NOT NULL GROUP BY owner_id, severity
"""
COUNT_CASES = COUNT.format(count="count(*)", cases="cases_case")
SET_IS_MORE, SET_IS_LESS = (COUNT.format(count=count, cases="touched") for count in ("count(*)", "-count(*)"))
ENTER = "INSERT INTO cases_loadentry (owner_id, severity, cases) SELECT {row}.owner_id, {row}.severity, {cases}"
IS_OPEN = "WHERE {row}.status <> 'resolved' AND {row}.owner_id IS NOT NULL;"
IS_LESS = f"{ENTER.format(row='OLD', cases=-1)} {IS_OPEN.format(row='OLD')}"
IS_MORE = f"{ENTER.format(row='NEW', cases=1)} {IS_OPEN.format(row='NEW')}"

ON_POSTGRESQL = [
    f"CREATE FUNCTION cases_load_is_more() RETURNS trigger LANGUAGE plpgsql AS $$ "
    f"BEGIN {SET_IS_MORE}; RETURN NULL; END $$",
    f"CREATE FUNCTION cases_load_is_less() RETURNS trigger LANGUAGE plpgsql AS $$ "
    f"BEGIN {SET_IS_LESS}; RETURN NULL; END $$",
    f"CREATE FUNCTION cases_load_has_changed() RETURNS trigger LANGUAGE plpgsql AS $$ "
    f"BEGIN {IS_LESS} {IS_MORE} RETURN NULL; END $$",
    # Many cases come and go at once, and make few entries
    "CREATE TRIGGER cases_load_is_more AFTER INSERT ON cases_case REFERENCING NEW TABLE AS touched "
    "FOR EACH STATEMENT EXECUTE FUNCTION cases_load_is_more()",
    "CREATE TRIGGER cases_load_is_less AFTER DELETE ON cases_case REFERENCING OLD TABLE AS touched "
    "FOR EACH STATEMENT EXECUTE FUNCTION cases_load_is_less()",
    "CREATE TRIGGER cases_load_has_changed AFTER UPDATE OF owner_id, severity, status ON cases_case FOR EACH ROW "
    "WHEN (OLD.owner_id IS DISTINCT FROM NEW.owner_id OR OLD.severity <> NEW.severity "
    "OR (OLD.status = 'resolved') <> (NEW.status = 'resolved')) EXECUTE FUNCTION cases_load_has_changed()",
]
TRIGGERS = ("cases_load_is_more", "cases_load_is_less", "cases_load_has_changed")
BACK_ON_POSTGRESQL = [
    *(f"DROP TRIGGER {name} ON cases_case" for name in TRIGGERS),
    *(f"DROP FUNCTION {name}" for name in TRIGGERS),
]
ON_SQLITE = [
    f"CREATE TRIGGER cases_load_is_more AFTER INSERT ON cases_case BEGIN {IS_MORE} END",
    f"CREATE TRIGGER cases_load_is_less AFTER DELETE ON cases_case BEGIN {IS_LESS} END",
    "CREATE TRIGGER cases_load_has_changed AFTER UPDATE OF owner_id, severity, status ON cases_case "
    "WHEN OLD.owner_id IS NOT NEW.owner_id OR OLD.severity <> NEW.severity "
    f"OR (OLD.status = 'resolved') <> (NEW.status = 'resolved') BEGIN {IS_LESS} {IS_MORE} END",
]
BACK_ON_SQLITE = [f"DROP TRIGGER {name}" for name in TRIGGERS]


def execute(by_vendor):
    def run(apps, schema_editor):
        for statement in by_vendor[schema_editor.connection.vendor]:
            schema_editor.execute(statement)

    return run


class Migration(migrations.Migration):

    dependencies = [
        ("cases", "0042_resolved_by_number"),
    ]

    operations = [
        migrations.CreateModel(
            name="LoadEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("owner_id", models.BigIntegerField()),
                (
                    "severity",
                    models.CharField(
                        choices=[("critical", "Critical"), ("high", "High"), ("medium", "Medium"), ("low", "Low")],
                        max_length=8,
                    ),
                ),
                ("cases", models.IntegerField()),
            ],
        ),
        migrations.RunPython(
            execute({"postgresql": [COUNT_CASES, *ON_POSTGRESQL], "sqlite": [COUNT_CASES, *ON_SQLITE]}),
            execute({"postgresql": BACK_ON_POSTGRESQL, "sqlite": BACK_ON_SQLITE}),
        ),
    ]
