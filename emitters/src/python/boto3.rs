//! boto3: the S3 client, and what its answers are made of.

use astgen_pyast::{Import, import_module};

astgen_pyast::vocabulary! {
    "botocore.config": Config;
    "botocore.exceptions": BotoCoreError, ClientError;
}

/// `import boto3`
#[allow(non_upper_case_globals, reason = "a Python name is spelled as Python spells it")]
pub const boto3: Import = import_module("boto3");
