//! pwdlib: password hashes.

astgen_pyast::vocabulary! {
    "pwdlib": PasswordHash;
    "pwdlib.hashers.argon2": Argon2Hasher;
}
