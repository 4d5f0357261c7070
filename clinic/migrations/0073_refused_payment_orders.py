from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("clinic", "0072_work_items"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="paymentorder",
            index=models.Index(
                condition=models.Q(("status", "failed")), fields=["payment"], name="payment_order_refused"
            ),
        ),
    ]
