//! What the printer makes of small sources. All expected texts are left alone by `ruff format`.

use astgen_pyast::{parse_module, print};

#[track_caller]
fn check(source: &str, expected: &str) {
    assert_eq!(print(&parse_module(source).unwrap()), expected);
}

/// A text that is printed as it stands.
#[track_caller]
fn check_stable(source: &str) {
    check(source, source);
}

fn name(length: usize) -> String {
    "a".repeat(length)
}

#[test]
fn a_line_of_88_columns_fits() {
    check_stable(&format!("x = {} + b\n", name(80)));
    check_stable(&format!("x = (\n    {}\n    + b\n)\n", name(81)));
}

#[test]
fn wide_characters_take_two_columns() {
    check_stable(&format!("x = f(\"{}\", b)\n", "数".repeat(38)));
    check_stable(&format!("x = f(\n    \"{}\", b\n)\n", "数".repeat(39)));
}

#[test]
fn arguments_try_one_indented_line() {
    check_stable(&format!("function(\n    {}, {}, c\n)\n", name(40), name(37)));
}

#[test]
fn arguments_go_one_by_one_at_last() {
    check_stable(&format!("f(\n    {},\n    {},\n)\n", name(50), name(50)));
}

#[test]
fn a_lone_argument_gets_no_comma() {
    check_stable(&format!("function(\n    {}\n)\n", name(84)));
}

#[test]
fn displays_go_one_by_one() {
    check_stable(&format!("x = [\n    {},\n    b,\n]\n", name(82)));
}

#[test]
fn operators_break_before_themselves() {
    check_stable(&format!("x = (\n    {}\n    + {}\n    - c * d\n)\n", name(40), name(40)));
}

#[test]
fn and_in_or_keeps_its_parentheses() {
    check("a and b or c", "(a and b) or c\n");
    check("-a**b", "-(a**b)\n");
    check("a + (b * c)", "a + b * c\n");
}

#[test]
fn power_hugs_simple_operands() {
    check_stable("x = a**-b + a.b**2 + None**x\n");
    check_stable("x = f(a) ** b + (-a) ** b + a ** \"b\"\n");
}

#[test]
fn chains_break_before_dots() {
    check_stable(&format!(
        "x = (\n    select({})\n    .where(b)\n    .order_by({})\n)\n",
        name(30),
        name(50)
    ));
}

#[test]
fn long_names_stay_bare() {
    check_stable(&format!("x = {}\n", name(100)));
    check_stable(&format!("xyz = (\n    {}\n)\n", name(84)));
}

#[test]
fn targets_explode_last() {
    check_stable(&format!("x[\"key\"] = (\n    {}\n)\n", name(84)));
    check_stable(&format!("x[\"key\"] = (\n    \"{}\"\n)\n", name(100)));
    check_stable(&format!("x = {} = (\n    y\n) = None\n", name(77)));
}

#[test]
fn lambdas_parenthesize_their_body() {
    check_stable(&format!("x = lambda a, b: (\n    a + {}\n)\n", name(70)));
    check_stable("x = lambda *, a, b=1, **c: a\n");
    check_stable("x = lambda a, /, b, *c: a\n");
}

#[test]
fn names_are_continued_where_no_bracket_is() {
    let [a, b] = [name(50), name(40)];
    check_stable(&format!("def f():\n    global \\\n        {a}, \\\n        {b}\n"));
}

#[test]
fn parameters_always_get_a_comma() {
    check_stable(&format!("def f(\n    {}: int = 1,\n) -> None:\n    pass\n", name(80)));
    check_stable("def f(a, /, b: int = 1, *c: int, d=2, **e) -> None: ...\n");
}

#[test]
fn definitions_stand_apart() {
    check(
        "import a\nx = 1\ndef f(): pass\ny = 2",
        "import a\n\nx = 1\n\n\ndef f():\n    pass\n\n\ny = 2\n",
    );
    check(
        "class A:\n  'doc'\n  x = 1\n  def f(self): pass\n  def g(self): pass",
        "class A:\n    \"\"\"doc\"\"\"\n\n    x = 1\n\n    def f(self):\n        pass\n\n    def g(self):\n        pass\n",
    );
    check("if a:\n  def f(): pass\nx", "if a:\n\n    def f():\n        pass\n\n\nx\n");
}

#[test]
fn new_grammar() {
    check_stable("def f[T: int, *Ts, **P](a: T) -> T: ...\n");
    check_stable("type A[T] = list[T]\n");
    check_stable("try:\n    a\nexcept* ValueError as error:\n    b\n");
    check_stable(
        "match a:\n    case [1, *rest] | {\"b\": B(c, d=-1 + 2j), **e} as f if g:\n        pass\n    case None | (a.b as c) | _:\n        pass\n",
    );
}

#[test]
fn every_import() {
    check_stable(
        "import a.b as c, d\nfrom . import e\nfrom ...f.g import h as i\nfrom j import *\n",
    );
    check_stable(&format!("from a import (\n    {},\n    b as c,\n)\n", name(75)));
}

#[test]
fn slices() {
    check_stable("x = a[1:2, ::3, b:, : c + 1, *d]\n");
    check_stable("x = a[(1,)]\n");
    check_stable("x = a[1:2,]\n");
}

#[test]
fn numbers() {
    check(
        "x = 0XAB, 1E5, 1_000, 1e400, 1J, .5, 1e-7, 0o17",
        "x = (171, 100000.0, 1000, 1e309, 1j, 0.5, 1e-7, 15)\n",
    );
    check_stable("x = (1).real + (1.5).real + 1j.real\n");
    check_stable(&format!("x = {}\n", "9".repeat(4299)));
}

#[test]
fn more_digits_than_python_reads_are_hexadecimal() {
    let text = print(&parse_module(&format!("x = 0x{}", "f".repeat(4000))).unwrap());
    assert_eq!(text, format!("x = 0x{}\n", "F".repeat(4000)));
}

#[test]
fn quotes() {
    check(
        r#"x = 'a', 'a"', 'a\'"', "'", b'"', b"\xFF\0" "#,
        r#"x = ("a", 'a"', "a'\"", "'", b'"', b"\xff\x00")
"#,
    );
}

#[test]
fn nothing_hides_in_a_string() {
    check(
        "x = '\u{202e}\u{200b}\u{feff}\u{2028}\u{e0001}\\x00\\x1b\\t\\n\u{a0}é数🦀'",
        "x = \"\\u202e\\u200b\\ufeff\\u2028\\U000e0001\\x00\\x1b\\t\\n\\xa0é数🦀\"\n",
    );
}

#[test]
fn docstrings() {
    check_stable("\"\"\"One line.\"\"\"\n");
    check_stable("def f():\n    \"\"\"First.\n\n    More.\n        Deeper.\n    \"\"\"\n");
    check_stable("def f():\n    \"\"\"\n    First.\n    \"\"\"\n");
    check("def f():\n    ' a '", "def f():\n    \"\"\"\\x20a\\x20\"\"\"\n");
    check("def f():\n    '''a\n  b'''", "def f():\n    \"\"\"a\\n  b\"\"\"\n");
    check("def f():\n    '''\"a\"'''", "def f():\n    \"\"\"\\\"a\\\"\"\"\"\n");
    check("def f():\n    '\"\"\"\\\\'", "def f():\n    \"\"\"\\\"\"\"\\\\\"\"\"\n");
    check_stable("def f():\n    \"\"\"\"\"\"\n");
}

#[test]
fn fstrings() {
    check_stable(
        "x = f\"{a} {b!r:>{c}} {{}} {d['e']} { {1: 2}} {(lambda: 1)} {(f := 1)}\"\n"
            .replace("{ {1: 2}}", "{ {1: 2} }")
            .as_str(),
    );
    check("x = f'{a=} {a = !r:5}'", "x = f\"a={a!r} a = {a!r:5}\"\n");
    check_stable("x = f\"{f'{a}'}\"\n");
    check_stable("x = f'\"{a}\"'\n");
    check_stable("x = rf\"{a:%Y\\%m}\"\n");
    check(r#"x = f'''{a["it's"]}'''"#, "x = f\"\"\"{a[\"it's\"]}\"\"\"\n");
}

#[test]
fn statements() {
    check_stable("for a, b in c:\n    break\nelse:\n    continue\n");
    check_stable("while a := b:\n    pass\n");
    check_stable("if a:\n    b\nelif c:\n    d\nelse:\n    e\n");
    check_stable("with a as b, c as (d, e):\n    pass\n");
    check_stable(
        "try:\n    a\nexcept (A, B) as c:\n    raise D from c\nelse:\n    e\nfinally:\n    f\n",
    );
    check_stable(
        "async def f():\n    async with a:\n        pass\n    async for b in c:\n        await d\n    return [e async for e in f]\n",
    );
    check_stable(
        "del a, b[0], c.d\nassert a, \"b\"\nnonlocal e\na: int\nb.c: int = 1\nd += yield\n",
    );
    check_stable("return\nreturn a, b\nreturn (*a,)\nx = yield a\nx = yield from a\n");
}

#[test]
fn with_statements_take_parentheses() {
    let [a, b] = [name(50), name(40)];
    check_stable(&format!("with (\n    {a} as c,\n    {b},\n):\n    pass\n"));
}
