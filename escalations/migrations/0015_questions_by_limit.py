"""The open questions of a person are read soonest first; with many open ones the index of all was read for them."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("escalations", "0014_company_of_questions"),
    ]

    operations = [
        migrations.RemoveIndex(model_name="question", name="question_open_by_asked"),
        migrations.AddIndex(
            model_name="question",
            index=models.Index(
                condition=models.Q(("ended_at", None)), fields=["asked", "answer_by"], name="question_open_by_asked"
            ),
        ),
    ]
