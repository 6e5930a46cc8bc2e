//! aiosmtplib: the SMTP client.

astgen_pyast::vocabulary! {
    "aiosmtplib": SMTP, SMTPDataError, SMTPException, SMTPRecipientsRefused, SMTPResponseException;
}
