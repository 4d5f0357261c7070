from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("clinic", "0092_kept_time_of_services")]

    operations = [
        AddIndexConcurrently(
            "schedulingparameters",
            models.Index(fields=["schedule"], condition=~Q(kept=[]), name="parameters_that_keep_time"),
        ),
    ]
