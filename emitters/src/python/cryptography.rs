//! cryptography.

astgen_pyast::vocabulary! {
    "cryptography.fernet": Fernet, InvalidToken, MultiFernet;
    "cryptography.hazmat.primitives.hashes": SHA256;
    "cryptography.hazmat.primitives.kdf.hkdf": HKDF;
}
