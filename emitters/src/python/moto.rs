//! moto: the S3 server of the tests.

astgen_pyast::vocabulary! {
    "moto.server": ThreadedMotoServer;
}
