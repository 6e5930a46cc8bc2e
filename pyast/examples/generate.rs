//! Writes generated modules into a folder: `generate OUT COUNT SEED`, to see what a formatter or
//! CPython makes of them.

use astgen_pyast::{arbitrary, on_large_stack, print};
use proptest::collection::vec;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    on_large_stack(generate)
}

fn generate() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let (Some(out), Some(count), Some(seed)) =
        (arguments.next(), arguments.next(), arguments.next())
    else {
        return Err("usage: generate OUT COUNT SEED".into());
    };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.parse::<u64>()?.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let module = vec(arbitrary::stmt_without_new_grammar(), 1..4);
    std::fs::create_dir_all(&out)?;
    for i in 0..count.parse::<usize>()? {
        let body = module.new_tree(&mut runner).map_err(|reason| reason.to_string())?.current();
        std::fs::write(format!("{out}/{i}.py"), print(&body))?;
    }
    Ok(())
}
