from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("clinic", "0060_day_figures"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='communication',
            index=models.Index(condition=models.Q(('sent__isnull', False)), fields=['sent'], name='communication_sent'),
        ),
        AddIndexConcurrently(
            model_name='communication',
            index=models.Index(condition=models.Q(('attempts__gt', 0), ('status', 'not-done')), fields=['due'], name='communication_failed'),
        ),
    ]
