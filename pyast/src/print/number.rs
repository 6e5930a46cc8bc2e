//! Number literals, in the spelling that ruff normalises to.

use super::Doc;
use num_bigint::BigInt;
use std::fmt::Write;

/// CPython refuses to read decimal literals of more than 4,300 digits; this many bits never need more.
const DECIMAL_BITS: u64 = 14_284;

/// An integer; in hexadecimal where Python would not read so many decimal digits.
pub fn int(doc: &mut Doc, int: &BigInt) {
    if int.bits() > DECIMAL_BITS {
        let sign = if int.sign() == num_bigint::Sign::Minus { "-" } else { "" };
        doc.text(&format!("{sign}0x{}", int.magnitude().to_str_radix(16).to_uppercase()));
    } else {
        doc.text(&int.to_string());
    }
}

/// A float, in as few digits as bring the same float back.
pub fn float(doc: &mut Doc, float: f64) {
    doc.text(&shortest(float));
}

/// A complex number. Only imaginary literals exist, so one with a real part reads back as a sum.
pub fn complex(doc: &mut Doc, real: f64, imag: f64) {
    let imaginary = shortest(imag);
    let imaginary = imaginary.strip_suffix(".0").unwrap_or(&imaginary);
    if real == 0.0 {
        doc.text(&format!("{imaginary}j"));
    } else {
        let sign = if imag.is_sign_negative() { "" } else { "+" };
        doc.text(&format!("({}{sign}{imaginary}j)", shortest(real)));
    }
}

/// `repr` in Python, but for the `+` in exponents, which ruff removes.
fn shortest(float: f64) -> String {
    if float.is_nan() {
        return "(1e309 - 1e309)".to_owned();
    }
    if float.is_infinite() {
        return if float > 0.0 { "1e309" } else { "-1e309" }.to_owned();
    }
    let scientific = format!("{float:e}");
    let exponent = scientific.split_once('e').and_then(|(_, exponent)| exponent.parse().ok());
    match exponent.unwrap_or(0) {
        -4..16 => {
            let mut plain = float.to_string();
            if !plain.contains('.') {
                let _ = write!(plain, ".0");
            }
            plain
        }
        _ => scientific,
    }
}
