from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("clinic", "0091_links_of_referrals_sent")]

    operations = [migrations.RemoveConstraint("schedulingparameters", "parameters_keep_time_on_a_schedule")]
