//! aiosmtpd: the SMTP server of the tests.

astgen_pyast::vocabulary! {
    "aiosmtpd.controller": Controller;
    "aiosmtpd.smtp": Envelope, SMTP, Session;
}
