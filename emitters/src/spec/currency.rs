//! The currencies that cards can be charged in, and how many digits each has after the point.

use super::billing::Currency;

/// The currency with a code in lower case.
#[must_use]
pub fn currency(code: &str) -> Option<Currency> {
    let decimals = |codes: &[&'static str], decimals: u8| {
        let code = codes.iter().copied().find(|known| *known == code)?;
        Some(Currency { code, decimals })
    };
    decimals(TWO_DECIMALS, 2)
        .or_else(|| decimals(NO_DECIMALS, 0))
        .or_else(|| decimals(THREE_DECIMALS, 3))
}

/// Every code.
pub fn codes() -> impl Iterator<Item = &'static str> + Clone {
    TWO_DECIMALS.iter().chain(NO_DECIMALS).chain(THREE_DECIMALS).copied()
}

/// Stripe charges these in hundredths, `isk` and `ugx` among them though they have no coins.
const TWO_DECIMALS: &[&str] = &[
    "aed", "afn", "all", "amd", "ang", "aoa", "ars", "aud", "awg", "azn", "bam", "bbd", "bdt",
    "bgn", "bmd", "bnd", "bob", "brl", "bsd", "bwp", "byn", "bzd", "cad", "cdf", "chf", "cny",
    "cop", "crc", "cve", "czk", "dkk", "dop", "dzd", "egp", "etb", "eur", "fjd", "fkp", "gbp",
    "gel", "gip", "gmd", "gtq", "gyd", "hkd", "hnl", "htg", "huf", "idr", "ils", "inr", "isk",
    "jmd", "kes", "kgs", "khr", "kyd", "kzt", "lak", "lbp", "lkr", "lrd", "lsl", "mad", "mdl",
    "mkd", "mmk", "mnt", "mop", "mur", "mvr", "mwk", "mxn", "myr", "mzn", "nad", "ngn", "nio",
    "nok", "npr", "nzd", "pab", "pen", "pgk", "php", "pkr", "pln", "qar", "ron", "rsd", "rub",
    "sar", "sbd", "scr", "sek", "sgd", "shp", "sle", "sos", "srd", "std", "szl", "thb", "tjs",
    "top", "try", "ttd", "twd", "tzs", "uah", "ugx", "usd", "uyu", "uzs", "wst", "xcd", "yer",
    "zar", "zmw",
];

/// The smallest unit is the currency itself.
const NO_DECIMALS: &[&str] = &[
    "bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf",
    "xof", "xpf",
];

/// Thousandths; Stripe takes only whole tens of them.
const THREE_DECIMALS: &[&str] = &["bhd", "jod", "kwd", "omr", "tnd"];
