//! Every kind of expression within every other: what finds a missing parenthesis.

/// One expression of each kind and level of precedence; `_` is a hole.
pub const SHAPES: [&str; 47] = [
    "_",
    "(yield)",
    "(yield _)",
    "(yield from _)",
    "(_ := _)",
    "(lambda: _)",
    "(lambda a=_: _)",
    "(_ if _ else _)",
    "(_ or _)",
    "(_ and _)",
    "(not _)",
    "(_ < _)",
    "(_ < _ < _)",
    "(_ in _)",
    "(_ is not _)",
    "(_ | _)",
    "(_ ^ _)",
    "(_ & _)",
    "(_ << _)",
    "(_ + _)",
    "(_ - _)",
    "(_ * _)",
    "(_ @ _)",
    "(_ // _)",
    "(_ % _)",
    "(-_)",
    "(+_)",
    "(~_)",
    "(_ ** _)",
    "(await _)",
    "(_).a",
    "(_)(_)",
    "(_)(*_, a=_, **_)",
    "(_)[_]",
    "(_)[_:_:_]",
    "(_)[_, *_]",
    "[_, *_]",
    "[]",
    "{_, *_}",
    "{_: _, **_}",
    "(_,)",
    "(*_, _)",
    "[_ for a in _ if _]",
    "{_: _ for a, in _}",
    "(_ for a in _)",
    "f'{ _}{ _!r}{ _:{ _}}'",
    "1",
];

/// Fills the holes of `shape`, all with the same text.
///
/// ```
/// use astgen_pyast::arbitrary::shapes::filled;
/// assert_eq!(filled("(_ + _)", "a"), "(a + a)");
/// ```
#[must_use]
pub fn filled(shape: &str, hole: &str) -> String {
    let mut text = String::new();
    for char in shape.chars() {
        if char == '_' { text.push_str(hole) } else { text.push(char) }
    }
    text
}

/// What a hole in `shape` cannot hold: a walrus binds names only, and strings nest in no f-string.
///
/// ```
/// use astgen_pyast::arbitrary::shapes::is_grammatical;
/// assert!(!is_grammatical("(_ := _)", "(a + a)"));
/// ```
#[must_use]
pub fn is_grammatical(shape: &str, hole: &str) -> bool {
    !(shape.starts_with("(_ :=") && hole != "a" || shape.contains("f'") && hole.contains("f'"))
}

/// Every shape in the holes of every shape.
///
/// ```
/// use astgen_pyast::arbitrary::shapes::expressions_of_depth_two;
/// assert!(expressions_of_depth_two().any(|text| text == "(-(a + a))"));
/// ```
pub fn expressions_of_depth_two() -> impl Iterator<Item = String> {
    SHAPES.iter().flat_map(|outer| {
        let inner = SHAPES.iter().map(|inner| filled(inner, "a"));
        inner.filter(|inner| is_grammatical(outer, inner)).map(|inner| filled(outer, &inner))
    })
}
