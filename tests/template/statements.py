"""What the function's role is meant to be allowed: every statement, by its purpose."""

from parameter_sets import KEY_ARN, SECRET_ARN
from stack import ACCOUNT, REGION, STACK

WRITE_OWN_LOG = {
    "Sid": "WriteOwnLog",
    "Effect": "Allow",
    "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
    "Resource": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/{STACK}:*",
}
READ_CREDENTIALS = {
    "Sid": "ReadCredentials",
    "Effect": "Allow",
    "Action": "secretsmanager:GetSecretValue",
    "Resource": SECRET_ARN,
}
DECRYPT_CREDENTIALS = {
    "Sid": "DecryptCredentials",
    "Effect": "Allow",
    "Action": "kms:Decrypt",
    "Resource": KEY_ARN,
    "Condition": {
        "StringEquals": {
            "kms:ViaService": f"secretsmanager.{REGION}.amazonaws.com",
            "kms:EncryptionContext:SecretARN": SECRET_ARN,
        }
    },
}
NETWORK_INTERFACES = [
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
]
ATTACH_TO_VPC = {"Sid": "AttachToVpc", "Effect": "Allow", "Action": NETWORK_INTERFACES, "Resource": "*"}
BUT_NOT_FROM_THE_CODE = {
    "Sid": "ButNotFromTheCode",
    "Effect": "Deny",
    "Action": NETWORK_INTERFACES,
    "Resource": "*",
    "Condition": {
        "ArnEquals": {"lambda:SourceFunctionArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{STACK}"},
    },
}


def report_failed_passes(topic):
    """The statement for a topic of this ARN, which is known only once it exists."""
    return {"Sid": "ReportFailedPasses", "Effect": "Allow", "Action": "sns:Publish", "Resource": topic}
