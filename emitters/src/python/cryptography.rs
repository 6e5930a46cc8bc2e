//! cryptography.

astgen_pyast::vocabulary! {
    "cryptography.hazmat.primitives.hashes": SHA256;
    "cryptography.hazmat.primitives.kdf.hkdf": HKDF;
}
