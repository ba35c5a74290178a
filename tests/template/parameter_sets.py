"""Values for the parameters, as a platform team would give them; every secret is an obvious fake."""

SECRET_ARN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:snapsentry/blue-a1B2c3"
KEY_ARN = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
LAYER_ARN = "arn:aws:lambda:eu-central-1:123456789012:layer:parameters-and-secrets-extension:1"

CREDENTIALS = {
    "application credential": {
        "OsAuthUrl": "https://keystone.example.com:5000/v3",
        "OsApplicationCredentialId": "0123456789abcdef0123456789abcdef",
        "OsApplicationCredentialSecret": "not-a-secret",
    },
    "password": {
        "OsAuthUrl": "https://keystone.example.com:5000/v3",
        "OsUsername": "snapsentry",
        "OsPassword": "not-a-password",
        "OsUserDomainName": "Default",
        "OsProjectName": "blue",
        "OsProjectDomainName": "Default",
    },
    "secret": {
        "CredentialsSecretArn": SECRET_ARN,
        "ParametersAndSecretsLayerArn": LAYER_ARN,
    },
    "secret under a key": {
        "CredentialsSecretArn": SECRET_ARN,
        "CredentialsSecretKmsKeyArn": KEY_ARN,
        "ParametersAndSecretsLayerArn": LAYER_ARN,
    },
}
REPORT_SECRET_ARN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:snapsentry/readers-d4E5f6"
REPORT_KEY_ARN = "arn:aws:kms:eu-central-1:123456789012:key/5678abcd-12ab-34cd-56ef-1234567890ab"
# What ManyClouds needs besides a secret.
MANY_CLOUDS = {"ManyClouds": "true", "ReservedConcurrency": "20"}
VPC = {
    "SubnetIds": "subnet-0a1b2c3d4e5f60718,subnet-0a1b2c3d4e5f60719",
    "SecurityGroupIds": "sg-0a1b2c3d4e5f60718",
}
WEBHOOK = {
    "WebhookUrl": "https://chat.example.com/hooks/not-a-secret",
    "WebhookUsername": "snapsentry",
    "WebhookPassword": "not-a-password",
}
# What costs most, left out or done more rarely.
LEAN = {
    "CreateDashboard": "false",
    "ExpireSchedule": "cron(38 2/6 * * ? *)",
    "ExpireTickSeconds": 21600,
    "OldestExpiredAgeLimitSeconds": 86400,
}
