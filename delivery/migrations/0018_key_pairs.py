"""Signatures by a key pair beside those by a secret."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("delivery", "0017_sign_off_news"),
    ]

    operations = [
        migrations.AddField(
            model_name="endpointsecret",
            name="public_key",
            field=models.CharField(blank=True, max_length=100, verbose_name="public key"),
        ),
        migrations.AddField(
            model_name="endpointsecret",
            name="scheme",
            field=models.CharField(
                choices=[
                    ("v1", "Secret that both sides hold"),
                    ("v1a", "Key pair: the receiver holds the public half"),
                ],
                default="v1",
                max_length=3,
                verbose_name="kind",
            ),
        ),
        migrations.AddField(
            model_name="historicalendpointsecret",
            name="public_key",
            field=models.CharField(blank=True, max_length=100, verbose_name="public key"),
        ),
        migrations.AddField(
            model_name="historicalendpointsecret",
            name="scheme",
            field=models.CharField(
                choices=[
                    ("v1", "Secret that both sides hold"),
                    ("v1a", "Key pair: the receiver holds the public half"),
                ],
                default="v1",
                max_length=3,
                verbose_name="kind",
            ),
        ),
    ]
