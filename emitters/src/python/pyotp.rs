//! pyotp: one-time codes.

astgen_pyast::vocabulary! {
    "pyotp": random_base32;
    "pyotp.totp": TOTP;
}
