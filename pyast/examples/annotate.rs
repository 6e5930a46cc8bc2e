//! Reprints Python files with comments and regions all over them: `annotate OUT ROOT FILE…`, to
//! see what a formatter makes of them.

use astgen_pyast::{Annotation, Region, Trivia, erase, on_large_stack, parse_module, print};
use rustpython_ast::Stmt;
use rustpython_ast::fold::{Fold, Foldable};
use rustpython_ast::text_size::TextRange;
use std::convert::Infallible;
use std::path::{Path, PathBuf};

/// Gives every seventh node some trivia.
#[derive(Default)]
struct Annotate {
    nodes: usize,
}

impl Fold<TextRange> for Annotate {
    type TargetU = Annotation;
    type Error = Infallible;
    type UserContext = ();

    fn will_map_user(&mut self, _: &TextRange) {}

    fn map_user(&mut self, _: TextRange, (): ()) -> Result<Annotation, Infallible> {
        self.nodes += 1;
        let trivia = self.nodes.is_multiple_of(7).then(|| self.trivia()).map(Box::new);
        Ok(Annotation { trivia, ..Annotation::default() })
    }
}

impl Annotate {
    fn trivia(&self) -> Trivia {
        let number = self.nodes / 7;
        Trivia {
            leading: (0..number % 3).map(|i| format!("leading {number} {i}")).collect(),
            trailing: (number.is_multiple_of(2)).then(|| format!("trailing {number}")),
            blank_line: number.is_multiple_of(11),
            region: (number.is_multiple_of(5)).then(|| Region { id: format!("region.{number}") }),
        }
    }
}

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(out), Some(root)) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: annotate OUT ROOT FILE...");
        std::process::exit(2);
    };
    let files: Vec<PathBuf> = arguments.collect();
    on_large_stack(|| files.iter().try_for_each(|file| annotate(&out, &root, file)))
}

fn annotate(out: &Path, root: &Path, file: &Path) -> std::io::Result<()> {
    let Ok(source) = std::fs::read_to_string(file) else { return Ok(()) };
    let Ok(tree) = parse_module(&source) else { return Ok(()) };
    let bare = erase(&tree);
    let Ok(annotated): Result<Vec<Stmt<Annotation>>, Infallible> =
        tree.fold(&mut Annotate::default());
    let text = print(&annotated);
    if parse_module(&text).map(|again| erase(&again)).as_ref() != Ok(&bare) {
        println!("{} changed its meaning", file.display());
    }
    let target = out.join(file.strip_prefix(root).unwrap_or(file));
    if let Some(folder) = target.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(target, text)
}
