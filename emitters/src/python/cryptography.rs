//! cryptography.

astgen_pyast::vocabulary! {
    "cryptography.fernet": Fernet, InvalidToken;
    "cryptography.hazmat.primitives.hashes": SHA256;
    "cryptography.hazmat.primitives.kdf.hkdf": HKDF;
}
